import test from 'ava';
import {telemetrySchema} from '../../src/own-telemetry/config.ts';
import {Secret} from '../../src/secret.ts';

const faultsOf = (value: unknown) =>
	telemetrySchema.safeParse(value).error?.issues.map(({path, message}) => `${path.join('.')}: ${message}`) ?? [];

test('nothing at all is a page on loopback and no OTLP', t => {
	t.deepEqual(telemetrySchema.parse({}), {
		metrics_endpoint: {host: '127.0.0.1', port: 9464},
		metrics_insecure: false,
		service_name: 'callhome-bridge',
		resource: {},
	});
});

test('OTLP with all defaults', t => {
	t.deepEqual(telemetrySchema.parse({otlp: {endpoint: 'http://localhost:4318'}}).otlp, {
		endpoint: 'http://localhost:4318',
		protocol: 'http/protobuf',
		headers: {},
		compression: 'gzip',
		timeout: 10_000,
		export_interval: 30_000,
		signals: {traces: true, metrics: true, logs: true},
	});
});

test('headers and the proxy are secrets', t => {
	const options = telemetrySchema.parse({
		otlp: {headers: {authorization: 'Bearer abc'}, proxy: 'http://u:p%40ss@proxy:3128'},
	}).otlp;
	t.is(options?.headers.authorization?.reveal(), 'Bearer abc');
	t.true(options?.proxy instanceof Secret);
	t.notRegex(JSON.stringify(options), /abc|ss@/);
	t.is(telemetrySchema.parse({otlp: {proxy: 'from_environment'}}).otlp?.proxy, 'from_environment');
});

const faults: readonly (readonly [string, unknown, RegExp])[] = [
	['an unknown key', {otel: {}}, /"otel"/],
	['an unknown key below otlp', {otlp: {url: 'x'}}, /^otlp: .*"url"/],
	['an endpoint without a scheme', {otlp: {endpoint: 'localhost:4318'}}, /^otlp\.endpoint: must be a URL/],
	['a password in the endpoint', {otlp: {endpoint: 'https://u:hunter2@host'}}, /^otlp\.endpoint: must not carry credentials/],
	['gRPC', {otlp: {protocol: 'grpc'}}, /^otlp\.protocol: .*http\/protobuf/],
	['a header that ends its line', {otlp: {headers: {a: 'hunter2\r\nb: c'}}}, /^otlp\.headers\.a: has characters/],
	['a name that no header has', {otlp: {headers: {'a b': 'c'}}}, /^otlp\.headers\.a b: /],
	['a proxy of another kind', {otlp: {proxy: 'socks5://u:hunter2@proxy'}}, /^otlp\.proxy: must be a URL with http/],
	['a certificate without its key', {otlp: {cert_file: 'c.pem'}}, /^otlp\.cert_file: .*belong together/],
	['an interval that no timer holds', {otlp: {export_interval: '30d'}}, /^otlp\.export_interval: must be from 1s to 1d/],
	['no time at all', {otlp: {timeout: '0s'}}, /^otlp\.timeout: must be from/],
	[
		'a page for everybody',
		{metrics_endpoint: '0.0.0.0:9464'},
		/^metrics_endpoint: listens beyond loopback.*metrics_insecure: true/,
	],
];

for (const [what, value, expected] of faults) {
	test(`${what} is a fault that names the place and no secret`, t => {
		const found = faultsOf(value);
		t.is(found.length, 1, found.join('\n'));
		t.regex(found[0] ?? '', expected);
		t.notRegex(found[0] ?? '', /hunter2/);
	});
}

test('a page for everybody is taken when the config says so', t => {
	t.like(telemetrySchema.parse({metrics_endpoint: '0.0.0.0:9464', metrics_insecure: true}), {
		metrics_endpoint: {host: '0.0.0.0'},
	});
});
