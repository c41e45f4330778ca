import {execFile} from 'node:child_process';
import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {replay} from '../src/cli/replay.ts';
import {createTrapLog} from '../src/cli/replay-traps.ts';
import {BridgeError} from '../src/errors.ts';
import {type Alert, alertRequest, configOf} from './helpers/bridge.ts';
import {eventually, freePort, temporaryDirectory} from './helpers/listen.ts';
import {requiredPeer, testWithPeer} from './helpers/peers.ts';
import {startProgram} from './helpers/program.ts';

const leftBehind = () => readdirSync(tmpdir()).filter(name => name.startsWith('callhome-replay-'));
const before = leftBehind();
test.after.always('nothing is left behind', t => t.deepEqual(leftBehind(), before));

const minute = 60_000;
const start = Date.UTC(2026, 0, 31, 8);

/** One OTLP JSON line, at a time of its own. */
function lineAt(millis: number, ...alerts: readonly Alert[]): string {
	const request = alertRequest(...alerts);
	for (const {scopeLogs} of request.resourceLogs) {
		for (const {logRecords} of scopeLogs) for (const record of logRecords) record.timeUnixNano = `${start + millis}000000`;
	}
	return JSON.stringify(request);
}

async function run(t: ExecutionContext, content: string, settings: Record<string, unknown> = {}) {
	const directory = await temporaryDirectory(t);
	const file = join(directory, 'recorded.jsonl');
	writeFileSync(file, content);
	const config = configOf(directory, settings);
	const output = await replay(config, file);
	t.false(existsSync(config.store.directory), 'the store of the bridge is not touched');
	type Problem = {outcome: string; reason: string; count: number; title: string; system: {name: string} | null};
	return {
		lines: output.lines.join('\n'),
		json: output.json as {
			decisions: Record<string, number>;
			cases: number;
			held: number;
			events: number;
			problems: Problem[];
			faulty_lines: number;
			faults: {line: number; message: string}[];
			journal: {word: string; text: string}[];
		},
	};
}

function readTraps(lines: readonly string[]) {
	const log = createTrapLog();
	return [...lines.map(line => log.take(line)), log.end()].filter(event => event !== undefined);
}

const known = {serial: 'J1A2B3C'};

test('what a machine dates to one moment is one problem in a rehearsal, too, where the configuration says so', async t => {
	const drives = ['drive-1', 'drive-2', 'drive-3'].map(id => ({...known, id}));
	const recorded = `${lineAt(0, ...drives)}\n${lineAt(minute, {...known, id: 'fan-1', type: 'fan'})}`;
	t.is((await run(t, recorded)).json.cases, 4);
	const {json} = await run(t, recorded, {processors: {storm: {same_time: 'one'}}});
	t.deepEqual(json.decisions, {first: 2, duplicate: 2});
	t.is(json.cases, 2);
});

test('faults open one case each, repetitions join, recoveries close, and what is held says why', async t => {
	const {json, lines} = await run(
		t,
		[
			lineAt(0, {...known, id: 'drive-3', body: 'Drive 3 has failed'}),
			lineAt(minute, {...known, id: 'drive-3', body: 'Drive 3 is still failed'}),
			lineAt(2 * minute, {...known, id: 'fan-1', type: 'fan'}),
			lineAt(3 * minute, {...known, id: 'fan-1', type: 'fan', state: 'ok', severity: 9}),
			lineAt(4 * minute, {id: 'psu-1', type: 'power_supply', host: 'db02'}),
		].join('\n'),
	);
	t.deepEqual(json.decisions, {first: 2, duplicate: 1, recovered: 1, held: 1});
	t.deepEqual([json.cases, json.held, json.events], [2, 1, 5]);
	const byTitle = (text: string) => json.problems.find(({title}) => title.includes(text));
	t.like(byTitle('Drive 3'), {outcome: 'case', count: 2});
	t.like(byTitle('fan-1'), {outcome: 'case, closed', count: 2});
	t.like(byTitle('psu-1'), {outcome: 'held', reason: 'unknown_system', system: null});
	t.true(json.journal.some(({word, text}) => word === 'held' && /systems/.test(text)));
	t.regex(lines, /2 would open a case, 1 would be held/);
	t.regex(lines, /Nothing was sent/);
});

test('the clock of the recording counts: what comes back after the relapse window is another case', async t => {
	const failed = (millis: number) => lineAt(millis, {...known, id: 'fan-1', type: 'fan'});
	const well = (millis: number) => lineAt(millis, {...known, id: 'fan-1', type: 'fan', state: 'ok', severity: 9});
	const soon = await run(t, [failed(0), well(minute), failed(60 * minute)].join('\n'));
	t.deepEqual(soon.json.decisions, {first: 1, relapse: 1, recovered: 1});
	const late = await run(t, [failed(0), well(minute), failed(121 * 60 * minute)].join('\n'));
	t.deepEqual(late.json.decisions, {first: 2, recovered: 1});
	t.is(late.json.cases, 2);
});

test('a storm of the recording folds, and is let go at its end', async t => {
	const many = Array.from({length: 30}, (_, index) => lineAt(index * 1000, {...known, id: `dimm-${index}`, type: 'memory'}));
	const {json} = await run(t, many.join('\n'));
	t.is(json.decisions.first, 10);
	t.is(json.decisions.storm, 20);
	t.is(json.held, 0);
	t.is(json.cases, 11);
});

test('without consent the rules are shown all the same', async t => {
	const {json} = await run(t, lineAt(0, {...known}), {consent: {cases: false}});
	t.is(json.cases, 1);
});

test('bad lines are named by their number, and cost nothing but themselves', async t => {
	const {json, lines} = await run(
		t,
		['nonsense\u001b[31m', lineAt(0, {...known}), '', '{"resourceLogs": 7}', '{"resourceLogs": ['].join('\r\n'),
	);
	t.is(json.faulty_lines, 3);
	t.deepEqual(
		json.faults.map(({line}) => line),
		[1, 4, 5],
	);
	t.is(json.cases, 1);
	t.regex(lines, / {2}line 1: it is no OTLP JSON/);
	t.false(lines.includes('\u001b[31m'));
});

test('a file without a signal, one that is missing and a directory are errors that name it', async t => {
	const directory = await temporaryDirectory(t);
	const config = configOf(directory);
	const file = join(directory, 'text');
	writeFileSync(file, 'hello\nworld\n');
	t.regex((await t.throwsAsync(replay(config, file), {instanceOf: BridgeError})).message, /holds no recorded signal: line 1/);
	t.regex((await t.throwsAsync(replay(config, join(directory, 'no')), {instanceOf: BridgeError})).message, /cannot be read/);
	t.regex((await t.throwsAsync(replay(config, directory), {instanceOf: BridgeError})).message, /it is a directory/);
});

test('whatever a file holds, it is an answer or an error of ours', async t => {
	const directory = await temporaryDirectory(t);
	const config = configOf(directory);
	const file = join(directory, 'any');
	const line = fc.oneof(
		fc.string({unit: 'binary'}),
		fc.json(),
		fc.constant(lineAt(0, known)),
		fc.json().map(text => `{"resourceLogs":${text}}`),
	);
	await t.notThrowsAsync(
		fc.assert(
			fc.asyncProperty(fc.array(line, {maxLength: 8}), async lines => {
				writeFileSync(file, lines.join('\n'));
				try {
					await replay(config, file);
				} catch (error) {
					t.true(error instanceof BridgeError, String(error));
				}
			}),
			{numRuns: 40},
		),
	);
});

testWithPeer(['snmptrapd', 'snmptrap'], 'the log of a real snmptrapd is read, of each version and over line ends', async t => {
	const directory = await temporaryDirectory(t);
	const settings = join(directory, 'snmptrapd.conf');
	writeFileSync(settings, 'authCommunity log public\ndisableAuthorization yes\n');
	const log = join(directory, 'traps.log');
	const port = await freePort();
	const to = `127.0.0.1:${port}`;
	const daemon = await startProgram(t, requiredPeer('snmptrapd'), [
		'-f',
		'-n',
		'-On',
		'-m',
		'',
		'-Lf',
		log,
		'-C',
		'-c',
		settings,
		`udp:${to}`,
	]);
	await eventually(() => existsSync(log) && readFileSync(log, 'utf8').includes('NET-SNMP version'), {timeoutMillis: 30_000});
	const imm = '1.3.6.1.4.1.2.6.158.5';
	const send = (args: readonly string[]) => promisify(execFile)(requiredPeer('snmptrap'), ['-m', '', '-c', 'public', ...args]);
	await send(['-v', '1', to, imm, '10.1.1.1', '6', '5', '', `${imm}.1.1`, 's', 'DIMM 3 has "failed"']);
	await send(['-v', '2c', to, '', `${imm}.0.6`, `${imm}.1.1`, 's', 'Fan 2\nhas failed', `${imm}.1.2`, 'i', '3']);
	await send(['-v', '2c', to, '', '1.3.6.1.6.3.1.1.5.1']);
	await eventually(
		() => readFileSync(log, 'utf8').includes('.5.1.2 = INTEGER: 3') && readFileSync(log, 'utf8').includes('1.1.5.1'),
		{
			timeoutMillis: 30_000,
		},
	);
	await daemon.stop();
	const traps = readFileSync(log, 'utf8').split('\n');
	const {json} = await run(t, traps.join('\n'));
	t.deepEqual([json.faulty_lines, json.events], [0, 2], JSON.stringify(json.faults));
	const seen = readTraps(traps);
	t.deepEqual(
		seen.map(({resource}) => resource['host.ip']),
		['10.1.1.1', '127.0.0.1'],
	);
});

test('what snmptrapd says of itself at its end is no faulty line', async t => {
	const trap = [
		'2026-01-31 08:00:00 10.1.1.1(via UDP: [10.1.1.1]:162->[10.1.1.2]:162) TRAP, SNMP v1, community public',
		'\t.1.3.6.1.4.1.2.6.158.5 Enterprise Specific Trap (5) Uptime: 0:00:01.00',
		'\t.1.3.6.1.4.1.2.6.158.5.1.1 = STRING: "DIMM 3 has failed"',
	];
	const end = [
		'2026-01-31 08:01:00 NET-SNMP version 5.9.3 Stopped.',
		'Stopping snmptrapd',
		'Cannot unlink /var/lib/snmp/snmptrapd.1.conf',
	];
	const {json} = await run(t, [...end, ...trap, ...end, ...trap, ''].join('\n'));
	t.deepEqual([json.faulty_lines, json.events], [0, 2], JSON.stringify(json.faults));
	const {json: noLog} = await run(t, [lineAt(0, known), ...end.slice(2)].join('\n'));
	t.is(noLog.faulty_lines, 1);
});

test('a system event log that ipmitool wrote is read record by record', async t => {
	const directory = await temporaryDirectory(t);
	const file = join(directory, 'sel.bin');
	// Memory (0x0c), sensor 2, uncorrectable ECC (offset 1); then its end; then the start of the operating system.
	const record = (id: number, ...rest: number[]) => Buffer.from([id, 0, 2, 0, 0x40 + id, 0xc7, 0x54, 0x20, 0, 4, ...rest]);
	writeFileSync(
		file,
		Buffer.concat([
			record(1, 0x0c, 2, 0x6f, 0x01, 0xff, 0xff),
			record(2, 0x0c, 2, 0xef, 0x01, 0xff, 0xff),
			record(3, 0x1f, 7, 0x6f, 0x00, 0xff, 0xff),
		]),
	);
	const config = configOf(directory, {
		systems: [{match: {'host.name': 'db07'}, machine_type: '8871', model: 'AC1', serial_number: 'J1'}],
	});
	const {json} = await replay(config, file, {host: 'db07'});
	t.like(json, {
		events: 2,
		cases: 1,
		decisions: {first: 1, recovered: 1},
		problems: [{outcome: 'case, closed', system: {name: 'db07'}}],
	});
});

test('whatever a log of traps holds, it is events or none', t => {
	const part = fc.oneof(
		fc.constantFrom(
			'2026-01-31 08:00:00 UDP: [127.0.0.1]:1->[127.0.0.1]:2 [UDP: [127.0.0.1]:1->[127.0.0.1]:2]:',
			'2026-99-99 08:00:00 x [::1] TRAP, SNMP v1, community public',
			'\t.1.3.6.1.4.1.2.6.158.5 Enterprise Specific Trap (5) Uptime: 4:35:37.23',
			'.1.3.6.1.2.1.1.3.0 = Timeticks: (55) 0:00:00.55\t.1.3.6.1.6.3.1.1.4.1.0 = OID: .1.3.6.1.4.1.2.6.158.5.0.5',
			'.1.3.6.1.4.1.2.6.158.5.1.1 = Hex-STRING: 00 F',
		),
		fc.string({unit: 'binary'}),
	);
	t.notThrows(() =>
		fc.assert(
			fc.property(fc.array(part), lines => {
				for (const event of readTraps(lines)) t.true(Number.isFinite(event.occurredAt));
			}),
			{numRuns: 300},
		),
	);
});

test('as a program it reads standard input, and prints JSON', async t => {
	const directory = await temporaryDirectory(t);
	const cli = join(import.meta.dirname, '../src/cli.ts');
	const output = await new Promise<string>((resolve, reject) => {
		const child = execFile(process.execPath, [cli, 'replay', '-', '--json'], {cwd: directory}, (error, stdout) =>
			error ? reject(error) : resolve(stdout),
		);
		child.stdin?.end(lineAt(0, known));
	});
	t.like(JSON.parse(output), {events: 1, cases: 1, decisions: {first: 1}});
});
