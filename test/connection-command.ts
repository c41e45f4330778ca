import {execFile} from 'node:child_process';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {parse} from 'yaml';
import {listConnections, removeConnection, type SetOptions, setConnection} from '../src/cli/connection.ts';
import {loadConfig} from '../src/config.ts';
import {temporaryDirectory} from './helpers/listen.ts';

const written = `# Call home of the Zurich site
exporter:   {sandbox: {}}

connections:
  # the proxy of the head office
  - name: corp
    proxy:
      url: http://callhome@proxy.example:3128 # by name
  # only when the proxy is down
  - name: straight
    direct: {}
  # nothing after it

# what may leave
consent: {cases:   true}
`;

async function fileWith(t: ExecutionContext, text = written) {
	const file = join(await temporaryDirectory(t), 'callhome.yaml');
	writeFileSync(file, text);
	return file;
}

const read = (file: string): string => readFileSync(file, 'utf8');
const namesOf = (file: string) => loadConfig(file).config.connections.map(({name}) => name);
type Listed = {position: number; name: string; kind: string; where: string | null; for: string[]; family: string}[];

const callhome = (...args: string[]) =>
	new Promise<{code: number; stdout: string; stderr: string}>(resolve => {
		const cli = join(import.meta.dirname, '../src/cli.ts');
		execFile(process.execPath, [cli, ...args], {timeout: 60_000}, (error, stdout, stderr) =>
			resolve({code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr}),
		);
	});

test('a new connection is added last, and the rest of the file stays byte for byte', async t => {
	const file = await fileWith(t);
	setConnection(file, 'dmz', {proxy: 'http://dmz.example:8080', for: 'uploads, events', family: 'ipv4'});
	t.is(
		read(file),
		written.replace(
			'    direct: {}\n',
			'    direct: {}\n  - name: dmz\n    proxy:\n      url: http://dmz.example:8080\n    for:\n      - uploads\n      - events\n    family: ipv4\n',
		),
	);
	t.deepEqual(namesOf(file), ['corp', 'straight', 'dmz']);
});

test('a connection of the name is changed in its place: what is not given stays', async t => {
	const file = await fileWith(t);
	setConnection(file, 'corp', {proxy: 'https://proxy2.example:3129', for: 'events'});
	setConnection(file, 'corp', {family: 'any'});
	const [corp] = (parse(read(file)) as {connections: unknown[]}).connections;
	t.deepEqual(corp, {name: 'corp', proxy: {url: 'https://proxy2.example:3129'}, for: ['events'], family: 'any'});
	t.regex(read(file), /# the proxy of the head office\n {2}- name: corp/);
	setConnection(file, 'corp', {direct: true});
	t.deepEqual((parse(read(file)) as {connections: unknown[]}).connections[0], {
		name: 'corp',
		direct: {},
		for: ['events'],
		family: 'any',
	});
});

test('settings that stand among those of the kind are changed there, and outlive the kind', async t => {
	const entry = 'proxy: {url: "http://proxy.example:3128", name: corp, for: [events], family: any}';
	const file = await fileWith(t, `exporter: {sandbox: {}}\nconnections:\n  - ${entry}\n`);
	const first = () => (parse(read(file)) as {connections: unknown[]}).connections[0];
	setConnection(file, 'corp', {family: 'ipv6'});
	t.deepEqual(first(), {proxy: {url: 'http://proxy.example:3128', name: 'corp', for: ['events'], family: 'ipv6'}});
	setConnection(file, 'corp', {pac: '/etc/proxy.pac'});
	t.deepEqual(first(), {pac: {file: '/etc/proxy.pac'}, name: 'corp', for: ['events'], family: 'ipv6'});
	setConnection(file, 'corp', {pac: 'https://wpad.example/proxy.pac', caFile: 'ca.pem'});
	t.deepEqual(first(), {
		pac: {url: 'https://wpad.example/proxy.pac', ca_file: 'ca.pem'},
		name: 'corp',
		for: ['events'],
		family: 'ipv6',
	});
});

test('a place may be given: first, last, before another one', async t => {
	const file = await fileWith(t);
	setConnection(file, 'new', {direct: true, first: true});
	t.deepEqual(namesOf(file), ['new', 'corp', 'straight']);
	setConnection(file, 'new', {before: 'straight'});
	t.deepEqual(namesOf(file), ['corp', 'new', 'straight']);
	setConnection(file, 'corp', {last: true});
	t.deepEqual(namesOf(file), ['new', 'straight', 'corp']);
	t.regex(read(file), /# what may leave\nconsent: \{cases: {3}true\}\n$/);
	t.throws(() => setConnection(file, 'new', {before: 'absent'}), {code: 'ERR_NOT_FOUND', message: /new, straight, corp/});
	t.throws(() => setConnection(file, 'new', {before: 'new'}), {code: 'ERR_USAGE'});
	t.throws(() => setConnection(file, 'new', {first: true, last: true}), {code: 'ERR_USAGE'});
});

test('connections are removed one by one, but for the last', async t => {
	const file = await fileWith(t);
	t.deepEqual(removeConnection(file, 'corp').lines.slice(-1), ['A running bridge takes this at its next start.']);
	t.deepEqual(namesOf(file), ['straight']);
	t.throws(() => removeConnection(file, 'straight'), {code: 'ERR_USAGE', message: /last connection/});
	t.throws(() => removeConnection(file, 'corp'), {code: 'ERR_NOT_FOUND', message: /there is straight/});
});

test('a file without connections has the direct one written down before another is added', async t => {
	const file = await fileWith(t, 'exporter: {sandbox: {}}\n');
	setConnection(file, 'corp', {proxy: 'http://proxy.example:3128', first: true});
	t.deepEqual((parse(read(file)) as {connections: unknown[]}).connections, [
		{name: 'corp', proxy: {url: 'http://proxy.example:3128'}},
		{direct: {}},
	]);
	removeConnection(file, 'direct');
	t.deepEqual(namesOf(file), ['corp']);
});

test('a password on the command line is refused and not repeated, a reference to the environment is stored as such', async t => {
	const file = await fileWith(t);
	for (const url of [
		'http://user:hunter2@proxy.example:3128',
		'http://:hunter2@proxy.example:3128',
		'user:hunter2@proxy.example',
		`http://user:hunter2\${env:REST}@proxy.example:3128`,
		'http://user:hunt/er2@x@proxy.example',
		'HTTP://user:hunter2\n@proxy.example',
	]) {
		for (const options of [{proxy: url}, {pac: url}]) {
			const error = t.throws(() => setConnection(file, 'corp', options), {code: 'ERR_USAGE', message: /\$\{env:NAME\}/}, url);
			t.notRegex(String(error?.message), /hunt/);
		}
	}
	t.is(read(file), written);
	const reference = `http://user:\${env:PROXY_PASSWORD}@proxy.example:3128`;
	const missing = await callhome('connection', 'set', 'corp', '--proxy', reference, '--config', file);
	t.is(missing.code, 17);
	t.regex(missing.stderr, /PROXY_PASSWORD is not set/);
	process.env.PROXY_PASSWORD = 'hunter2-hunter2';
	const {lines} = setConnection(file, 'corp', {proxy: reference});
	t.true(read(file).includes(`url: ${reference}`));
	t.notRegex(lines.join() + JSON.stringify(listConnections(loadConfig(file))), /hunter2|user/);
});

test('any credentials with something after a colon are refused', t => {
	const text = fc.string({minLength: 1, maxLength: 12});
	fc.assert(
		fc.property(text, text, fc.constantFrom('http://', 'https://', 'socks5://', ''), (user, password, scheme) => {
			const url = `${scheme}${user.replaceAll(':', '')}:${password.replaceAll('$', '')}x@proxy.example:3128`;
			try {
				setConnection('/nowhere/absent/callhome.yaml', 'corp', {proxy: url});
				return false;
			} catch (error) {
				const {code, message} = error as {code?: string; message: string};
				return code === 'ERR_USAGE' && message.startsWith('--proxy has a password');
			}
		}),
	);
	t.pass();
});

test('a fault in the result changes nothing and is named', async t => {
	const file = await fileWith(t);
	const wrong: [SetOptions, RegExp][] = [
		[{proxy: 'gopher://proxy.example'}, /connections\[0\]\.proxy\.url/],
		[{for: 'everything'}, /connections\[0\]\.for/],
		[{family: 'ipv7'}, /connections\[0\]\.family/],
		[{localAddress: 'nowhere'}, /connections\[0\]\.local_address/],
	];
	for (const [options, message] of wrong) t.throws(() => setConnection(file, 'corp', options), {code: 'ERR_CONFIG', message});
	t.throws(() => setConnection(file, 'bad\nname', {direct: true}), {code: 'ERR_CONFIG', message: /connections\[2\]\.name/});
	t.throws(() => setConnection(file, 'new', {family: 'ipv4'}), {code: 'ERR_USAGE', message: /say where it leads/});
	t.throws(() => setConnection(file, 'corp', {direct: true, proxy: 'http://a.example'}), {code: 'ERR_USAGE'});
	t.throws(() => setConnection(file, 'straight', {caFile: 'ca.pem'}), {code: 'ERR_USAGE', message: /for a proxy/});
	t.is(read(file), written);
});

test('connection list prints the order without secrets, for people and for machines', async t => {
	const file = await fileWith(t);
	const human = await callhome('connection', 'list', '--config', file);
	t.is(human.code, 0, human.stderr);
	t.regex(human.stdout, /1 +corp +proxy +http:\/\/proxy\.example:3128 .*\n2 +straight +direct +-/);
	const listed = JSON.parse((await callhome('connection', 'list', '--config', file, '--json')).stdout) as Listed;
	t.like(listed[0], {position: 1, name: 'corp', kind: 'proxy', where: 'http://proxy.example:3128'});
	t.like(listed[1], {position: 2, name: 'straight', kind: 'direct', where: null});
	t.notRegex(human.stdout + JSON.stringify(listed), /callhome@/);
});

test('a file that is not there is made when it is named, and is valid', async t => {
	const directory = await temporaryDirectory(t);
	const file = join(directory, 'new.yaml');
	const {code, stdout} = await callhome('connection', 'set', 'corp', '--proxy', 'http://proxy.example:3128', '--config', file);
	t.is(code, 0);
	t.regex(stdout, /made[\s\S]*direct[\s\S]*corp[\s\S]*next start/);
	t.deepEqual(namesOf(file), ['direct', 'corp']);
	t.false(existsSync(join(directory, 'callhome.yaml')));
});
