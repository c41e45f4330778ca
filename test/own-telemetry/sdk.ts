import {once} from 'node:events';
import type {IncomingMessage, RequestListener} from 'node:http';
import {type AddressInfo, createServer as createSocketServer} from 'node:net';
import {buffer} from 'node:stream/consumers';
import {gunzipSync} from 'node:zlib';
import {diag, logs, metrics, SeverityNumber, trace} from '@opentelemetry/api';
import test, {type ExecutionContext} from 'ava';
import type {z} from 'zod';
import {telemetrySchema} from '../../src/own-telemetry/config.ts';
import {createPrometheusReader, type PrometheusReader} from '../../src/own-telemetry/prometheus.ts';
import {startTelemetry, type Telemetry, type TelemetryStart} from '../../src/own-telemetry/sdk.ts';
import {eventually, listen} from '../helpers/listen.ts';

type Otlp = NonNullable<z.input<typeof telemetrySchema>['otlp']>;
type Started = Telemetry & {readonly page: PrometheusReader['page']; readonly said: readonly string[]};

/** The SDK is registered for the whole process: tests here take turns. */
async function start(t: ExecutionContext, otlp: Otlp | undefined, start: Partial<TelemetryStart> = {}): Promise<Started> {
	const own = createPrometheusReader();
	const said: string[] = [];
	const telemetry = await startTelemetry(telemetrySchema.parse({otlp}), {
		resource: {'service.name': 'bridge', 'service.instance.id': 'one'},
		metricReader: own.reader,
		log: message => said.push(message),
		environment: {},
		patienceMillis: 2000,
		...start,
	});
	t.teardown(() => telemetry.shutdown());
	return {...telemetry, page: own.page, said};
}

type Received = {readonly path: string; readonly headers: IncomingMessage['headers']; readonly body: Buffer};

/** Keeps what an OTLP receiver gets, with the body inflated. */
function intake(status = 200): {received: Received[]; listener: RequestListener} {
	const received: Received[] = [];
	return {
		received,
		async listener(request, response) {
			const body = await buffer(request);
			const inflated = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
			received.push({path: request.url ?? '', headers: request.headers, body: inflated});
			response.writeHead(status, {'content-type': request.headers['content-type'] ?? ''}).end(status === 200 ? '' : 'hunter2');
		},
	};
}

function emitEverything(): void {
	trace.getTracer('test').startSpan('an attempt').end();
	metrics.getMeter('test').createCounter('sent', {unit: '{event}'}).add(3);
	logs.getLogger('test').emit({
		eventName: 'callhome.heartbeat',
		severityNumber: SeverityNumber.INFO,
		attributes: {'callhome.destination': 'sandbox'},
	});
}

const pathsOf = (received: readonly Received[]) => [...new Set(received.map(({path}) => path))].sort();
const everyPath = ['/v1/logs', '/v1/metrics', '/v1/traces'];

test.serial('without OTLP there is the page, and nothing is traced or logged', async t => {
	const {page, said} = await start(t, undefined);
	emitEverything();
	t.regex(await page(), /^sent_total\{.*job="bridge".*\} 3$/m);
	t.false(trace.getTracer('test').startSpan('none').isRecording());
	t.deepEqual(said, []);
});

test.serial('traces, metrics and logs leave over OTLP as JSON, and the page has the metrics, too', async t => {
	const {received, listener} = intake();
	const url = await listen(t, listener);
	const telemetry = await start(t, {endpoint: new URL('/prefix', url).href, protocol: 'http/json', headers: {'x-token': 'abc'}});
	emitEverything();
	await telemetry.forceFlush();
	t.deepEqual(
		pathsOf(received),
		everyPath.map(path => `/prefix${path}`),
	);
	const bodies = Object.fromEntries(received.map(({path, body}) => [path, JSON.parse(String(body))]));
	t.is(bodies['/prefix/v1/traces'].resourceSpans[0].scopeSpans[0].spans[0].name, 'an attempt');
	t.is(bodies['/prefix/v1/metrics'].resourceMetrics[0].scopeMetrics[0].metrics[0].sum.dataPoints[0].asDouble, 3);
	t.is(bodies['/prefix/v1/logs'].resourceLogs[0].scopeLogs[0].logRecords[0].eventName, 'callhome.heartbeat');
	for (const {headers} of received) {
		t.like(headers, {'content-type': 'application/json', 'content-encoding': 'gzip', 'x-token': 'abc'});
		t.regex(headers['user-agent'] ?? '', /^callhome-bridge\/\d/);
	}
	const attributes: {key: string; value: {stringValue?: string}}[] =
		bodies['/prefix/v1/logs'].resourceLogs[0].resource.attributes;
	t.is(attributes.find(({key}) => key === 'service.instance.id')?.value.stringValue, 'one');
	t.false(attributes.some(({key}) => key.startsWith('process.')));
	t.regex(await telemetry.page(), /^sent_total\{.*\} 3$/m);
	t.deepEqual(telemetry.said, []);
});

test.serial('protobuf is the default; signals and compression can be switched off', async t => {
	const {received, listener} = intake();
	const url = await listen(t, listener);
	const telemetry = await start(t, {endpoint: url.href, compression: 'none', signals: {traces: false}});
	emitEverything();
	await telemetry.forceFlush();
	t.deepEqual(pathsOf(received), ['/v1/logs', '/v1/metrics']);
	for (const {headers, body} of received) {
		t.is(headers['content-type'], 'application/x-protobuf');
		t.is(headers['content-encoding'], undefined);
		t.true(body.includes('service.instance.id'));
	}
	t.false(trace.getTracer('test').startSpan('none').isRecording());
});

test.serial('metrics leave at the interval, and what waits leaves at the shutdown', async t => {
	const {received, listener} = intake();
	const telemetry = await start(t, {endpoint: (await listen(t, listener)).href, export_interval: '1s'});
	emitEverything();
	await eventually(() => received.some(({path}) => path === '/v1/metrics'));
	await telemetry.shutdown();
	t.deepEqual(pathsOf(received), everyPath);
	const count = received.length;
	await telemetry.shutdown();
	emitEverything();
	t.is(received.length, count);
});

const withVariables = (variables: Readonly<Record<string, string>>, t: ExecutionContext) => {
	Object.assign(process.env, variables);
	t.teardown(() => {
		for (const name of Object.keys(variables)) delete process.env[name];
	});
	return {environment: process.env};
};

test.serial('without OTLP in the config the standard environment variables decide', async t => {
	const {received, listener} = intake();
	const url = await listen(t, listener);
	const variables = {
		OTEL_EXPORTER_OTLP_ENDPOINT: url.href,
		OTEL_EXPORTER_OTLP_HEADERS: 'x-token=from-env',
		OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: 'http/json',
		OTEL_TRACES_EXPORTER: 'none',
		OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=lab',
		OTEL_LOG_LEVEL: 'debug', // Prints to the console, if the SDK is left to itself.
	};
	const telemetry = await start(t, undefined, withVariables(variables, t));
	emitEverything();
	await telemetry.forceFlush();
	t.deepEqual(received.map(({path, headers}) => [path, headers['content-type'], headers['x-token']]).sort(), [
		['/v1/logs', 'application/json', 'from-env'],
		['/v1/metrics', 'application/x-protobuf', 'from-env'],
	]);
	t.true(received.every(({body}) => body.includes('deployment.environment.name')));
	t.regex(await telemetry.page(), /^target_info\{deployment_environment_name="lab"/m);
});

test.serial('the endpoint of one signal exports that signal alone', async t => {
	const {received, listener} = intake();
	const url = await listen(t, listener);
	const telemetry = await start(t, undefined, withVariables({OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${url.href}own/path`}, t));
	emitEverything();
	await telemetry.forceFlush();
	t.deepEqual(pathsOf(received), ['/own/path']);
});

test.serial('OTEL_SDK_DISABLED ends the export and leaves the page', async t => {
	const {received, listener} = intake();
	const url = await listen(t, listener);
	const telemetry = await start(t, {endpoint: url.href}, withVariables({OTEL_SDK_DISABLED: 'true'}, t));
	emitEverything();
	await telemetry.forceFlush();
	t.deepEqual(received, []);
	t.regex(await telemetry.page(), /^sent_total\{.*\} 3$/m);
});

test.serial('gRPC in the environment is said, and hurts nobody', async t => {
	const variables = {OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc'};
	const telemetry = await start(t, undefined, {environment: variables});
	emitEverything();
	t.regex(telemetry.said.join('\n'), /metrics are not exported: OTLP over grpc is not spoken/);
	t.regex(await telemetry.page(), /^sent_total\{.*\} 3$/m);
});

test.serial('a refusing endpoint is said in one line without a stack or a secret, and not again and again', async t => {
	const {received, listener} = intake(401);
	const endpoint = (await listen(t, listener)).href;
	const telemetry = await start(t, {endpoint, headers: {authorization: 'Bearer swordfish'}, timeout: '1s'});
	for (let round = 0; round < 5; round++) {
		emitEverything();
		await telemetry.forceFlush();
	}
	t.true(received.length >= 10);
	t.true(telemetry.said.length > 0 && telemetry.said.length <= 4, telemetry.said.join('\n'));
	for (const line of telemetry.said) {
		t.regex(line, /^telemetry: .*Unauthorized/);
		t.notRegex(line, /\n|swordfish|hunter2/);
	}
	t.regex(await telemetry.page(), /^sent_total\{.*\} 15$/m);
});

test.serial('no secret of the export is said, whoever says it', async t => {
	const environment = {
		OTEL_EXPORTER_OTLP_HEADERS: 'x-one=from-env-1,x-two=from-env-2',
		HTTPS_PROXY: 'http://u:sea%20horse@proxy:3128',
	};
	const otlp = {headers: {authorization: 'Bearer swordfish', 'x-scope-orgid': '1'}, proxy: 'http://u:cat%40fish@proxy:3128'};
	const {said} = await start(t, otlp, {environment});
	diag.warn('1 Bearer swordfish from-env-1 from-env-2 sea%20horse "sea horse" cat@fish http://u:cat%40fish@proxy:3128');
	t.is(said.length, 1);
	t.notRegex(said[0] ?? '', /swordfish|from-env|horse|fish/);
	t.regex(said[0] ?? '', /^telemetry: 1 \[redacted\]/);
});

test.serial('an endpoint that is not there is said by its reason', async t => {
	const telemetry = await start(t, {endpoint: 'http://127.0.0.1:1', timeout: '200ms'});
	emitEverything();
	await telemetry.forceFlush();
	t.regex(telemetry.said.join('\n'), /ECONNREFUSED/);
});

test.serial('flush and shutdown end in time when the endpoint hangs', async t => {
	const hanging = createSocketServer(() => {}).listen(0, '127.0.0.1');
	await once(hanging, 'listening');
	t.teardown(() => hanging.close());
	const {port} = hanging.address() as AddressInfo;
	const telemetry = await start(t, {endpoint: `http://127.0.0.1:${port}`, timeout: '3s'}, {patienceMillis: 200});
	emitEverything();
	const began = Date.now();
	await telemetry.forceFlush();
	await telemetry.shutdown();
	const millis = Date.now() - began;
	t.true(millis >= 390 && millis < 1500, `${millis} ms`);
});

test.serial('a proxy that never answers a CONNECT does not hold an export for good', async t => {
	const hanging = createSocketServer(socket => socket.on('error', () => {})).listen(0, '127.0.0.1');
	await once(hanging, 'listening');
	t.teardown(() => hanging.close());
	const {port} = hanging.address() as AddressInfo;
	const proxy = `http://callhome:swordfish@127.0.0.1:${port}`;
	const telemetry = await start(t, {endpoint: 'https://otlp.invalid', proxy, timeout: '300ms'}, {patienceMillis: 10_000});
	emitEverything();
	const began = Date.now();
	await telemetry.forceFlush();
	t.true(Date.now() - began < 5000);
	t.regex(telemetry.said.join('\n'), /timed out/i);
	t.notRegex(telemetry.said.join('\n'), /swordfish/);
});

test.serial('a file that cannot be read is a fault of the config', async t => {
	await t.throwsAsync(start(t, {endpoint: 'https://127.0.0.1:1', ca_file: '/nowhere/ca.pem'}), {
		code: 'ERR_CONFIG',
		message: /^telemetry\.otlp\.ca_file: cannot read \/nowhere\/ca\.pem: ENOENT/,
	});
});
