import {buffer} from 'node:stream/consumers';
import {metrics as api} from '@opentelemetry/api';
import test, {type ExecutionContext} from 'ava';
import type {HardwareEvent} from '../../src/event.ts';
import {telemetrySchema} from '../../src/own-telemetry/config.ts';
import {emitAlert} from '../../src/own-telemetry/events.ts';
import {createPrometheusReader} from '../../src/own-telemetry/prometheus.ts';
import {createReadings} from '../../src/own-telemetry/readings.ts';
import {startTelemetry} from '../../src/own-telemetry/sdk.ts';
import type {Reading} from '../../src/source.ts';
import {listen} from '../helpers/listen.ts';

const machine = (name: string, serial: string) => ({
	'host.name': name,
	'callhome.system.type': '8871',
	'callhome.system.model': 'AC1',
	'callhome.system.serial_number': serial,
	'hw.vendor': 'IBM',
});
const temperature = (id: string, value: number): Reading => ({
	metric: 'hw.temperature',
	value,
	attributes: {'hw.id': id, 'hw.name': `${id} "temp"\n`},
});
const status = (id: string, state: string): Reading[] =>
	['ok', 'degraded', 'failed', 'predicted_failure'].map(each => ({
		metric: 'hw.status',
		value: each === state ? 1 : 0,
		attributes: {'hw.id': id, 'hw.type': 'fan', 'hw.state': each},
	}));

type Received = {readonly path: string; readonly body: string};

async function startReading(t: ExecutionContext, otlp: object | undefined, now = Date.now) {
	const readings = createReadings({now});
	const {reader, page} = createPrometheusReader(readings.onPoints);
	const telemetry = await startTelemetry(telemetrySchema.parse({otlp}), {
		resource: {'service.name': 'bridge', 'service.instance.id': 'one', 'host.name': 'bridge-host'},
		metricReader: reader,
		machines: readings.byMachine,
		log: () => {},
		environment: {},
		patienceMillis: 5000,
	});
	t.teardown(() => telemetry.shutdown());
	api.getMeter('test').createCounter('own').add(1); // Without a metric of its own the SDK exports nothing.
	return {...readings, page, telemetry};
}

test.serial('the page tells the machines apart by their labels, and shows the latest reading of each', async t => {
	const {measure, page} = await startReading(t, undefined);
	measure('snmp', machine('db01', 'J1'), [temperature('ambient', 20), ...status('fan-1', 'failed')], Date.now());
	measure('snmp', machine('db01', 'J1'), [temperature('ambient', 21.5), ...status('fan-1', 'failed')], Date.now());
	measure('snmp', machine('db02', 'J2'), [temperature('ambient', 30)], Date.now());
	measure('host/ipmi', machine('db01', 'J1'), [temperature('cpu', 55)], Date.now());
	const lines = (await page()).split('\n').filter(line => line.startsWith('hw_'));
	t.is(lines.filter(line => line.startsWith('hw_temperature_celsius{')).length, 3);
	const ambient = lines.find(line => line.includes('hw_id="ambient"') && line.includes('host_name="db01"')) ?? '';
	t.regex(ambient, /callhome_system_model="AC1",callhome_system_serial_number="J1",callhome_system_type="8871",host_name="db01"/);
	t.regex(ambient, /instance="one",job="bridge"/);
	t.regex(ambient, /hw_name="ambient \\"temp\\"\\n"/);
	t.regex(ambient, / 21\.5$/);
	t.false(ambient.includes('hw_vendor'));
	t.deepEqual(
		lines.filter(line => line.startsWith('hw_status{')).map(line => [/hw_state="(\w+)"/.exec(line)?.[1], line.slice(-1)]),
		[
			['degraded', '0'],
			['failed', '1'],
			['ok', '0'],
			['predicted_failure', '0'],
		],
	);
	measure('snmp', machine('db02', 'J2'), [], Date.now());
	t.false((await page()).includes('db02'));
});

test.serial('a machine that is no longer read is no longer shown, also when its clock is ahead', async t => {
	let now = 1_000_000;
	const {measure, page} = await startReading(t, undefined, () => now);
	measure('snmp', machine('db01', 'J1'), [temperature('ambient', 20)], now + 1e12);
	now += 14 * 60_000;
	t.true((await page()).includes('hw_temperature_celsius{'));
	now += 2 * 60_000;
	t.false((await page()).includes('hw_temperature_celsius{'));
});

test.serial('a machine that is no longer read leaves in time when the clock was set back meanwhile', async t => {
	let now = 100_000_000;
	const {measure, page} = await startReading(t, undefined, () => now);
	measure('snmp', machine('db01', 'J1'), [temperature('ambient', 20)], now);
	now -= 86_400_000;
	t.true((await page()).includes('hw_temperature_celsius{'), 'it was read a moment ago');
	now += 14 * 60_000;
	t.true((await page()).includes('hw_temperature_celsius{'));
	now += 2 * 60_000;
	t.false((await page()).includes('hw_temperature_celsius{'));
});

test.serial('a machine that is polled every hour is shown between two polls, and not for ever', async t => {
	let now = 1_000_000;
	const {measure, page} = await startReading(t, undefined, () => now);
	measure('snmp', machine('db01', 'J1'), [temperature('ambient', 20)], now, 3_600_000);
	now += 2 * 3_600_000;
	t.true((await page()).includes('hw_temperature_celsius{'));
	now += 3_700_000;
	t.false((await page()).includes('hw_temperature_celsius{'));
});

test.serial('what is no number, or no metric of the conventions, is not shown, and nothing else suffers', async t => {
	const {measure, page} = await startReading(t, undefined);
	const bad = [Number.NaN, Number.POSITIVE_INFINITY].map(value => temperature('bad', value));
	const foreign = {metric: 'hw.callhome', value: 1, attributes: {'hw.id': 'x'}};
	const odd = {metric: 'hw.voltage', value: 12, attributes: {'hw.id': '__proto__', 'hw.list': [1, 2], 'hw.big': 2n ** 63n}};
	measure('snmp', {...machine('db01', 'J1'), 'host.ip': ['a', 'b']}, [...bad, foreign, odd], Date.now());
	const lines = (await page()).split('\n').filter(line => line.startsWith('hw_'));
	t.is(lines.length, 1);
	t.regex(lines[0] ?? '', /^hw_voltage_volts\{.*hw_big="9223372036854775808",hw_id="__proto__".*\} 12$/);
});

test.serial('over OTLP each machine is a resource of its own, with its readings and its alerts', async t => {
	const received: Received[] = [];
	const url = await listen(t, async (request, response) => {
		received.push({path: request.url ?? '', body: String(await buffer(request))});
		response.writeHead(200, {'content-type': 'application/json'}).end('{}');
	});
	const {measure, telemetry} = await startReading(t, {endpoint: url.href, protocol: 'http/json', compression: 'none'});
	measure('snmp', machine('db01', 'J1'), [temperature('ambient', 20)], Date.now());
	measure('host/ipmi', machine('db01', 'J1'), [temperature('cpu', 50)], Date.now());
	measure('snmp', machine('db02', 'J2'), status('fan-1', 'ok'), Date.now());
	const event: HardwareEvent = {
		id: 'e1',
		name: 'callhome.hardware.alert',
		occurredAt: 1_700_000_000_000,
		receivedAt: Date.now(),
		severity: 17,
		message: 'Fan 1 has failed',
		resource: machine('db02', 'J2'),
		attributes: {'hw.id': 'fan-1', 'callhome.big': 2n ** 60n, 'callhome.list': [1, {a: null}]},
		source: 'snmp/trap',
	};
	const logger = telemetry.loggerFor(machine('db02', 'J2'));
	if (!logger) throw new Error('no logger');
	t.is(telemetry.loggerFor(machine('db02', 'J2')), logger);
	emitAlert(logger, event);
	await telemetry.forceFlush();

	type Resource = {attributes: {key: string; value: {stringValue?: string}}[]};
	const namesOf = ({attributes}: Resource) => Object.fromEntries(attributes.map(({key, value}) => [key, value.stringValue]));
	const metrics = received.filter(({path}) => path === '/v1/metrics').map(({body}) => JSON.parse(body).resourceMetrics[0]);
	const [own, ...machines] = metrics.map(({resource}) => namesOf(resource));
	t.is(own?.['host.name'], 'bridge-host');
	t.deepEqual(
		machines.map(names => [names['host.name'], names['callhome.system.serial_number'], names['service.instance.id']]),
		[
			['db01', 'J1', 'one'],
			['db02', 'J2', 'one'],
		],
	);
	const [{name, unit, gauge}] = metrics[1].scopeMetrics[0].metrics;
	t.deepEqual([name, unit, gauge.dataPoints.length], ['hw.temperature', 'Cel', 2]);
	const [{sum}] = metrics[2].scopeMetrics[0].metrics;
	t.deepEqual([sum.isMonotonic, sum.dataPoints.length], [false, 4]);

	const [logs] = received.filter(({path}) => path === '/v1/logs').map(({body}) => JSON.parse(body).resourceLogs[0]);
	t.is(namesOf(logs.resource)['host.name'], 'db02');
	const [record] = logs.scopeLogs[0].logRecords;
	t.like(record, {eventName: 'callhome.hardware.alert', severityNumber: 17, body: {stringValue: 'Fan 1 has failed'}});
	t.is(record.timeUnixNano, '1700000000000000000');
	t.is(namesOf(record)['log.record.uid'], 'e1');
});

test.serial('an endpoint that refuses gets one request a round, not one for each machine', async t => {
	let requests = 0;
	const url = await listen(t, (request, response) => {
		requests++;
		request.resume().on('end', () => response.writeHead(400).end());
	});
	const {measure, telemetry} = await startReading(t, {endpoint: url.href, signals: {traces: false, logs: false}});
	for (let index = 0; index < 20; index++) measure('snmp', machine(`db${index}`, `J${index}`), [temperature('a', 1)], Date.now());
	await telemetry.forceFlush();
	t.is(requests, 1);
});
