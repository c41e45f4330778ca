import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {inspect} from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import {embeddedConfig, loadConfig, parseConfig, readConfig} from '../src/config.ts';
import {temporaryDirectory} from './helpers/listen.ts';

const minimal = 'exporter: {sandbox: {}}\n';
const parse = (text: string, environment: NodeJS.ProcessEnv = {}) => parseConfig(text, '.', environment);
const faultsOf = (text: string, environment?: NodeJS.ProcessEnv) =>
	parse(text, environment).faults.map(({line, path, message}) => `${line} ${path}: ${message}`);

test('the embedded defaults are a good config that sends to the sandbox', t => {
	const {config, faults} = parse(embeddedConfig);
	t.deepEqual(faults, []);
	t.truthy(config?.exporter.sandbox);
	t.true(config?.consent.cases);
	t.deepEqual(config?.receivers.otlp.endpoint, {host: '127.0.0.1', port: 4319});
});

test('without consent in the file nothing may leave', t => {
	t.deepEqual(parse(minimal).config?.consent, {cases: false, diagnostics: false, inventory: false});
});

test('a full config with secrets in files and in the environment loads', async t => {
	const directory = await temporaryDirectory(t);
	for (const name of ['otlp-token', 'api-key', 'private-key']) writeFileSync(join(directory, name), `secret-${name}\n`);
	const text = `
systems:
  - match: { host.name: db01.example }
    machine_type: "8871"
    model: AC1
    serial_number: J1A2B3C
contact: { organization: Example AG, name: Operations, email: ops@example.com, phone: "+41 44 555 01 00" }
location: { country: CH, city: Zurich }
receivers:
  otlp: { endpoint: 127.0.0.1:4319, bearer_token_file: otlp-token }
connections:
  - proxy: { url: "http://callhome:\${env:PROXY_PASSWORD}@proxy.example:3128" }
  - direct: {}
exporter:
  call_home_connect:
    customer_number: "1234567"
    api_key_file: api-key
    private_key_file: private-key
consent: { cases: true, diagnostics: false, inventory: true }
telemetry:
  otlp: { endpoint: "http://localhost:4318" }
  metrics_endpoint: 127.0.0.1:9464
store: { directory: /var/lib/callhome }
`;
	const {config, faults} = parseConfig(text, directory, {PROXY_PASSWORD: 'proxy-pass'});
	t.deepEqual(faults, []);
	t.is(config?.receivers.otlp.bearer_token?.reveal(), 'secret-otlp-token');
	t.is(config?.exporter.call_home_connect?.api_key?.reveal(), 'secret-api-key');
	const shown = inspect(config, {depth: null}) + JSON.stringify(config);
	t.notRegex(shown, /secret-otlp-token|secret-api-key|secret-private-key|proxy-pass/);
});

test('every fault is named at once, each with its line', t => {
	const text = `exporter: {sandbox: {}}
systems:
  - match: {host.name: a}
    machine_type: "88711"
    model: AC1
    serial_number: X
contact: {email: nobody}
receivers:
  otlp: {endpoint: nowhere, max_request_size: huge}
selektion: {}
store: {directory: "", queue_capacity: 0}
`;
	const faults = faultsOf(text);
	t.deepEqual(
		faults.map(fault => fault.split(':')[0]),
		[
			'4 systems[0].machine_type',
			'7 contact.email',
			'9 receivers.otlp.endpoint',
			'9 receivers.otlp.max_request_size',
			'10 selektion',
			'11 store.directory',
			'11 store.queue_capacity',
		],
	);
});

test('the ledger is verified each hour, or more often', t => {
	t.is(parse(minimal).config?.store.ledger_verification, 3_600_000);
	t.is(parse(`${minimal}store: {ledger_verification: 1s}`).config?.store.ledger_verification, 1000);
	for (const often of ['2h', '0s'])
		t.deepEqual(faultsOf(`${minimal}store: {ledger_verification: ${often}}`), [
			'2 store.ledger_verification: must be from 1s to 1h',
		]);
});

test('an unknown key is named with its own line, also deep down', t => {
	t.deepEqual(faultsOf(`${minimal}receivers:\n  otlp:\n    endpoint: 127.0.0.1:1\n    tokens: x\n`), [
		'5 receivers.otlp.tokens: unknown key',
	]);
});

test('a key of a later version is not called unknown', t => {
	t.deepEqual(faultsOf(`${minimal}console: {}\n`), ['2 console: this version does not have it yet']);
});

test('a variable that is not set is a fault and not an empty text', t => {
	t.deepEqual(faultsOf(`${minimal}contact:\n  name: "\${env:NOBODY_SET_THIS}"\n`).slice(0, 1), [
		'3 contact.name: the environment variable NOBODY_SET_THIS is not set',
	]);
});

test('a secret from the environment in the wrong place does not show in the fault', t => {
	const faults = faultsOf(`${minimal}receivers:\n  otlp: {endpoint: "\${env:TOKEN}"}\n`, {TOKEN: 'hunter2-hunter2'});
	t.is(faults.length, 1);
	t.notRegex(faults.join(), /hunter2/);
});

test('a connection that leads to the own support proxy, and so in a circle, is a fault', t => {
	const withProxy = (endpoint: string, url: string) =>
		faultsOf(
			`exporter: {sandbox: {}}\nsupport_proxy: {endpoint: "${endpoint}", insecure: true}\nconnections: [{proxy: {url: "${url}"}}]\n`,
		);
	for (const [endpoint, url] of [
		['127.0.0.1:5026', 'http://127.0.0.1:5026'],
		['127.0.0.1:5026', 'http://localhost:5026'],
		['0.0.0.0:5026', 'http://u:geheim@127.0.0.1:5026'],
		['proxy.example:5026', 'http://proxy.example:5026'],
	] as const) {
		const faults = withProxy(endpoint, url);
		t.is(faults.length, 1, url);
		t.regex(faults[0] ?? '', /^3 connections\[0\]\.proxy\.url: is the support proxy of this bridge/);
		t.false(faults[0]?.includes('geheim'));
	}
	t.deepEqual(withProxy('127.0.0.1:5026', 'http://127.0.0.1:3128'), []);
	t.deepEqual(withProxy('0.0.0.0:5026', 'http://192.0.2.1:5026'), []);
});

test('files and the store are named as the directory of the configuration has them', t => {
	const text = `exporter: {sandbox: {}}
connections: [{proxy: {url: "https://proxy.example", ca_file: proxy.pem}}, {pac: {file: proxy.pac}}]
destinations: {updates: {url: "https://updates.example/list.json", ca_file: /etc/ca.pem, public_key_file: [one.pub, ../two.pub]}}
telemetry: {otlp: {endpoint: "https://otlp.example", ca_file: ""}}
`;
	const {config, faults} = parseConfig(text, '/etc/callhome', {});
	t.deepEqual(
		faults.map(({path}) => path),
		['telemetry.otlp.ca_file'],
	);
	t.is(config, undefined);
	const good = parseConfig(text.replace(/telemetry.*\n/, ''), '/etc/callhome', {}).config;
	t.like(
		good?.connections.map(({way}) => way),
		[{proxy: {caFile: '/etc/callhome/proxy.pem'}}, {source: {file: '/etc/callhome/proxy.pac'}}],
	);
	t.is(good?.store.directory, '/etc/callhome/.callhome', 'a command that is started elsewhere finds the store');
	const elsewhere = parseConfig('exporter: {sandbox: {}}\nstore: {directory: /var/lib/callhome}', '/etc/callhome', {}).config;
	t.is(elsewhere?.store.directory, '/var/lib/callhome');
	t.like(good?.destinations.updates, {ca_file: '/etc/ca.pem', public_key_file: ['/etc/callhome/one.pub', '/etc/two.pub']});
});

test('a secret file that is missing or empty is named with its line', async t => {
	const directory = await temporaryDirectory(t);
	writeFileSync(join(directory, 'empty'), '\n');
	const text = `${minimal}receivers:\n  otlp:\n    bearer_token_file: FILE\n`;
	const faultOf = (file: string) => parseConfig(text.replace('FILE', file), directory, {}).faults[0];
	t.like(faultOf('empty'), {line: 4, path: 'receivers.otlp.bearer_token_file'});
	t.regex(faultOf('absent')?.message ?? '', /cannot be read.*ENOENT/);
});

test('a secret is given once: as a value or as a file', async t => {
	const directory = await temporaryDirectory(t);
	writeFileSync(join(directory, 'token'), 'abc');
	const {faults} = parseConfig(`${minimal}receivers:\n  otlp: {bearer_token: a, bearer_token_file: token}\n`, directory, {});
	t.regex(faults[0]?.message ?? '', /not both/);
});

test('what listens beyond loopback without authentication is a fault, unless it says insecure', t => {
	t.regex(
		faultsOf(`${minimal}receivers: {otlp: {endpoint: "0.0.0.0:4319"}}\n`)[0] ?? '',
		/2 receivers\.otlp\.endpoint: .*insecure/,
	);
	t.deepEqual(faultsOf(`${minimal}receivers: {otlp: {endpoint: "0.0.0.0:4319", insecure: true}}\n`), []);
	t.deepEqual(faultsOf(`${minimal}receivers: {otlp: {endpoint: "0.0.0.0:4319", bearer_token: abc}}\n`), []);
});

test('IBM and the sandbox at once, or neither, is a fault', t => {
	const ibm = 'call_home_connect: {customer_number: "1234567"}';
	t.regex(faultsOf(`location: {country: CH}\nexporter: {sandbox: {}, ${ibm}}\n`)[0] ?? '', /exactly one/);
	t.regex(faultsOf('exporter: {}\n')[0] ?? '', /exactly one/);
	t.deepEqual(faultsOf('support_proxy: {basic_auth: [{username: a}]}\nexporter: {sandbox: {}}\n'), [
		'1 support_proxy.basic_auth[0].password: is missing or no text: write it here, or name a file with the same key and _file',
	]);
	t.deepEqual(faultsOf('consent: {cases: true}\n'), [
		'1 exporter: is missing: name call_home_connect (IBM), or sandbox: {} (the built-in stand-in)',
	]);
	t.deepEqual(faultsOf(`location: {country: CH}\nexporter: {${ibm}}\n`), []);
});

test('IBM wants to know the country', t => {
	t.regex(faultsOf('exporter: {call_home_connect: {customer_number: "1234567"}}\n')[0] ?? '', /location: is missing/);
});

test('YAML that is broken is named with its line, and nothing else is complained about', t => {
	const faults = faultsOf('exporter: {sandbox: {}\nstore: [\n');
	t.true(faults.length > 0);
	t.true(faults.every(fault => /^\d+ : /.test(fault)));
});

test('an alias bomb is a fault', t => {
	const bomb = [
		'a: &a [x,x,x,x,x,x,x,x,x]',
		...'bcdefghi'.split('').map((name, index) => `${name}: &${name} [${`*${'abcdefghi'[index]},`.repeat(9)}]`),
	];
	t.true(parse(bomb.join('\n')).faults.length > 0);
});

test('a file that is not there is a fault that names it', t => {
	const {config, faults} = readConfig('/nowhere/callhome.yaml');
	t.is(config, undefined);
	t.regex(faults[0]?.message ?? '', /cannot be read/);
	t.throws(() => loadConfig('/nowhere/callhome.yaml'), {code: 'ERR_CONFIG', message: /\/nowhere\/callhome\.yaml/});
});

test('a config with every value wrong gives a fault for each section and never throws', t => {
	const sections = [
		'system',
		'systems',
		'contact',
		'location',
		'receivers',
		'selection',
		'processors',
		'service_information',
		'connections',
		'exporter',
		'consent',
		'telemetry',
		'store',
	];
	for (const wrong of ['7', '"text"', '[1, 2]', 'null', '{"a": {"b": [null]}}', 'true']) {
		const paths = parse(sections.map(section => `${section}: ${wrong}`).join('\n')).faults.map(({path}) => path.split(/[.[]/)[0]);
		const blamed = sections.filter(section => paths.includes(section));
		t.true(blamed.length >= sections.length - 2, `${wrong}: only ${blamed.join(' ')}`);
	}
});

test('whatever the file holds, the answer is a config or faults', t => {
	const key = fc.constantFrom(
		'exporter',
		'sandbox',
		'store',
		'receivers',
		'otlp',
		'systems',
		'match',
		'endpoint',
		'__proto__',
		'constructor',
		'api_key_file',
		'x',
	);
	const {tree} = fc.letrec(tie => ({
		tree: fc.oneof(
			{maxDepth: 4},
			fc.string(),
			fc.integer(),
			fc.boolean(),
			fc.constant(null),
			fc.array(tie('tree'), {maxLength: 4}),
			fc.dictionary(key, tie('tree'), {maxKeys: 4}),
		),
	}));
	fc.assert(
		fc.property(tree, value => {
			const {config, faults} = parse(JSON.stringify(value));
			t.true((config === undefined) === faults.length > 0);
		}),
		{numRuns: 300},
	);
	fc.assert(
		fc.property(fc.string({maxLength: 200}), text => {
			const {config, faults} = parse(text);
			t.true((config === undefined) === faults.length > 0);
		}),
		{numRuns: 500},
	);
});
