import {execFile} from 'node:child_process';
import {cp, mkdir, readdir, readFile, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {startCallHome} from '../../../exporters/index.ts';
import {openStoreForReading} from '../../../src/store/store.ts';
import {eventually, temporaryDirectory} from '../../helpers/listen.ts';
import {startProgram} from '../../helpers/program.ts';

const checkout = fileURLToPath(new URL('../../..', import.meta.url));
const run = promisify(execFile);

/** As in the README. */
const tenLines = [
	"import {logs, SeverityNumber} from '@opentelemetry/api';",
	"import {NodeSDK} from '@opentelemetry/sdk-node';",
	"import {CallHomeLogRecordProcessor, startCallHome} from 'callhome-bridge';",
	'',
	'const callHome = await startCallHome();',
	'const sdk = new NodeSDK({logRecordProcessors: [new CallHomeLogRecordProcessor(callHome)]});',
	'sdk.start();',
	"logs.getLogger('raid-watch').emit({eventName: 'callhome.hardware.alert', severityNumber: SeverityNumber.ERROR, body: 'Drive 3 has failed',",
	"  attributes: {'hw.id': 'drive-3', 'hw.type': 'physical_disk', 'hw.state': 'failed'}});",
	'await sdk.shutdown();          // resolves when the alert is on disk',
	'await callHome.shutdown();',
].join('\n');

const askPac = [
	"import {createPacCandidates} from './node_modules/callhome-bridge/dist/src/sending/pac.js';",
	"const pac = createPacCandidates({source: {file: 'proxy.pac'}, allowDirect: false}, {family: 'ipv4', localAddress: () => '127.0.0.1'});",
	"const [{host}] = await pac.candidates({host: 'esupport.ibm.com', port: 443}, AbortSignal.timeout(30_000));",
	'process.stdout.write(host);',
	'await pac.close();',
].join('\n');

/** Packs a copy of the checkout with its own prepack script, and installs it in a program's directory without a network. */
async function install(t: ExecutionContext): Promise<string> {
	const top = await temporaryDirectory(t);
	const copy = join(top, 'copy');
	const program = join(top, 'program');
	const modules = join(program, 'node_modules');
	await mkdir(copy);
	await mkdir(modules, {recursive: true});
	const copied = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'LICENSE', 'CHANGELOG.md', 'src', 'exporters'];
	for (const name of copied) await cp(join(checkout, name), join(copy, name), {recursive: true});
	await symlink(join(checkout, 'node_modules'), join(copy, 'node_modules'));
	const {stdout} = await run('npm', ['pack', '--json', '--offline', '--foreground-scripts=false', '--pack-destination', top], {
		cwd: copy,
	});
	const [{filename}] = JSON.parse(stdout.slice(stdout.indexOf('[')));
	await run('tar', ['-xf', join(top, filename), '-C', modules]);
	await cp(join(modules, 'package'), join(modules, 'callhome-bridge'), {recursive: true});
	for (const name of await readdir(join(checkout, 'node_modules'))) {
		if (!name.startsWith('.')) await symlink(join(checkout, 'node_modules', name), join(modules, name));
	}
	await writeFile(join(program, 'package.json'), '{"type": "module"}');
	return program;
}

test('the packed package: ten lines put a problem on disk, which becomes a case; its command and its types work', async t => {
	t.timeout(120_000);
	const cwd = await install(t);
	await writeFile(join(cwd, 'program.ts'), tenLines);
	const env = {OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none'};

	const tsc = join(checkout, 'node_modules/typescript/bin/tsc');
	const compiler = await startProgram(
		t,
		process.execPath,
		[tsc, '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node', 'program.ts'],
		{cwd},
	);
	t.is(await compiler.ended, 0, compiler.output());

	const program = await startProgram(t, process.execPath, ['program.ts'], {cwd, env});
	t.is(await program.ended, 0, program.output());
	t.is(program.output(), '');
	const {read, close} = openStoreForReading(join(cwd, '.callhome'));
	t.teardown(close);
	const [problem] = await read.listProblems({limit: 10});
	t.like(problem, {title: 'Drive 3 has failed', component: {id: 'drive-3', type: 'physical_disk'}, count: 1});

	const installed = join(cwd, 'node_modules/callhome-bridge');
	const {version} = JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8'));
	const command = await startProgram(t, process.execPath, [join(installed, 'dist/src/cli.js'), '--version'], {cwd});
	t.is(await command.ended, 0, command.output());
	t.is(command.output().trim(), version, 'package.json is found from dist');
	await writeFile(join(cwd, 'proxy.pac'), 'function FindProxyForURL() { return "PROXY pac.example:3128"; }');
	await writeFile(join(cwd, 'ask.js'), askPac);
	const asking = await startProgram(t, process.execPath, ['ask.js'], {cwd});
	t.is(await asking.ended, 0, asking.output());
	t.is(asking.output(), 'pac.example', 'the compiled thread for PAC files is found from dist');
	t.deepEqual((await readdir(installed)).sort(), ['CHANGELOG.md', 'LICENSE', 'dist', 'package.json']);

	await writeFile(
		join(cwd, 'callhome.yaml'),
		`exporter: {sandbox: {}}\nconsent: {cases: true}\nlocation: {country: US}\nstore: {directory: ${cwd}/.callhome}\n`,
	);
	const callHome = await startCallHome({config: join(cwd, 'callhome.yaml'), log: () => {}});
	t.teardown(() => callHome.shutdown());
	await eventually(async () => (await read.listProblems({limit: 10}))[0]?.caseNumber);
	t.pass('a little later there is a case number');
});
