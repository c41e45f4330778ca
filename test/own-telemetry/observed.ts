import {buffer} from 'node:stream/consumers';
import {metrics} from '@opentelemetry/api';
import {MeterProvider} from '@opentelemetry/sdk-metrics';
import test from 'ava';
import {telemetrySchema} from '../../src/own-telemetry/config.ts';
import {createObserved} from '../../src/own-telemetry/observed.ts';
import {createPrometheusReader} from '../../src/own-telemetry/prometheus.ts';
import {startTelemetry} from '../../src/own-telemetry/sdk.ts';
import {type Observation, observe} from '../../src/telemetry.ts';
import {listen} from '../helpers/listen.ts';
import {startPage} from '../helpers/meter.ts';

const metric = (name: string, instrument: 'counter' | 'gauge' | 'updowncounter' = 'gauge') => ({
	name,
	instrument,
	unit: 's',
	description: 'Of a test.',
});
const of = (...names: readonly string[]): Observation[] => names.map((name, value) => ({value, attributes: {name}}));
const linesOf = (page: string) => page.split('\n').filter(line => line.startsWith('test_'));

for (const instrument of ['counter', 'gauge', 'updowncounter'] as const) {
	test.serial(`what a ${instrument} does not observe any more has no series`, async t => {
		const {page} = startPage(t);
		let names = ['a', 'b'];
		observe(metric('test.value', instrument), () => of(...names));
		t.is(linesOf(await page()).length, 2);
		names = ['b'];
		t.is(linesOf(await page()).length, 1);
		names = [];
		t.false((await page()).includes('test_value'));
	});
}

test.serial('one that fails costs its own metric only', async t => {
	const {page} = startPage(t);
	observe(metric('test.broken'), () => {
		throw new Error('the disk is gone');
	});
	observe(metric('test.rejected'), () => Promise.reject(new Error('the disk is gone')));
	observe(metric('test.well'), () => of('a'));
	t.deepEqual(
		linesOf(await page()).map(line => /^\w+/.exec(line)?.[0]),
		['test_well_seconds'],
	);
});

test.serial('one that is late costs its own metric only, and its error names it', async t => {
	const {reader} = createPrometheusReader();
	const observed = createObserved();
	const provider = new MeterProvider({readers: [observed.readBy(reader)]});
	metrics.setGlobalMeterProvider(observed.over(provider));
	t.teardown(() => metrics.disable());
	observe(metric('test.late'), () => new Promise(() => {}));
	observe(metric('test.well'), () => of('a'));
	const {errors, resourceMetrics} = await reader.collect({timeoutMillis: 50});
	t.deepEqual(
		errors.map(error => (error as Error).message),
		['test.late was not read within 50 ms'],
	);
	t.deepEqual(
		resourceMetrics.scopeMetrics.flatMap(({metrics}) => metrics.map(({descriptor}) => descriptor.name)),
		['test.well'],
	);
});

test.serial('several may observe one metric, and of the same attributes the last value holds', async t => {
	const {page} = startPage(t);
	observe(metric('test.shared'), () => [...of('a'), {value: 7, attributes: {name: 'a'}}]);
	observe(metric('test.shared'), () => of('b'));
	const lines = linesOf(await page());
	t.is(lines.length, 2);
	t.regex(lines[0] ?? '', /name="a".* 7$/);
});

test.serial('series without end are cut off', async t => {
	const {page} = startPage(t);
	observe(metric('test.endless'), () => Array.from({length: 50_001}, (_, index) => ({value: 1, attributes: {index}})));
	t.is(linesOf(await page()).length, 50_000);
});

test.serial('over OTLP as on the page: what is gone is not sent, and what is counted stays', async t => {
	const sent: string[] = [];
	const url = await listen(t, async (request, response) => {
		sent.push(String(await buffer(request)));
		response.writeHead(200, {'content-type': 'application/json'}).end('{}');
	});
	const otlp = {endpoint: url.href, protocol: 'http/json', compression: 'none', signals: {traces: false, logs: false}};
	const {reader, page} = createPrometheusReader();
	const telemetry = await startTelemetry(telemetrySchema.parse({otlp}), {
		resource: {'service.name': 'bridge', 'service.instance.id': 'one'},
		metricReader: reader,
		log: () => {},
		environment: {},
	});
	t.teardown(() => telemetry.shutdown());
	let names = ['a', 'b'];
	observe(metric('test.value'), () => of(...names));
	metrics.getMeter('test').createCounter('test.counted').add(1);
	await telemetry.forceFlush();
	names = ['b'];
	await telemetry.forceFlush();
	const [before = '', after = ''] = sent;
	for (const text of ['"a"', '"b"', 'test.counted']) t.true(before.includes(text), text);
	for (const text of ['"b"', 'test.counted']) t.true(after.includes(text), text);
	t.false(after.includes('"a"'));
	t.is(linesOf(await page()).length, 2);
});
