import type {Attributes, Meter} from '@opentelemetry/api';
import {resourceFromAttributes} from '@opentelemetry/resources';
import {AggregationType, MeterProvider} from '@opentelemetry/sdk-metrics';
import test from 'ava';
import fc from 'fast-check';
import {createPrometheusReader, numberText} from '../../src/own-telemetry/prometheus.ts';
import {peer} from '../helpers/peers.ts';
import {checkWithPromtool, parsePrometheusText} from '../helpers/prometheus-text.ts';

const identity = {'service.name': 'bridge', 'service.instance.id': 'one'};

async function pageOf(record: (meter: Meter) => void, resource: Attributes = identity): Promise<string> {
	const own = createPrometheusReader();
	const provider = new MeterProvider({resource: resourceFromAttributes(resource), readers: [own.reader]});
	record(provider.getMeter('test', '1.0'));
	try {
		return await own.page();
	} finally {
		await provider.shutdown();
	}
}

const numbers: readonly (readonly [number, string])[] = [
	[0, '0'],
	[-0, '0'],
	[1, '1'],
	[-1.5, '-1.5'],
	[0.1, '0.1'],
	[0.0001, '0.0001'],
	[0.00001, '1e-05'],
	[0.000123, '0.000123'],
	[123456, '123456'],
	[1e6, '1e+06'],
	[1234567, '1.234567e+06'],
	[1.7e9, '1.7e+09'],
	[1e21, '1e+21'],
	[5e-324, '5e-324'],
	[Number.MAX_VALUE, '1.7976931348623157e+308'],
	[Number.NaN, 'NaN'],
	[Number.POSITIVE_INFINITY, '+Inf'],
	[Number.NEGATIVE_INFINITY, '-Inf'],
];

for (const [value, expected] of numbers) {
	test(`the number ${Object.is(value, -0) ? '-0' : value} is written ${expected}`, t => {
		t.is(numberText(value), expected);
	});
}

test('every number reads back as itself', t => {
	t.notThrows(() =>
		fc.assert(fc.property(fc.double({noDefaultInfinity: true, noNaN: true}), value => Number(numberText(value)) === value)),
	);
});

test('a counter, a gauge and a histogram with their labels', async t => {
	const page = await pageOf(meter => {
		meter.createCounter('sent', {unit: '{event}', description: 'Sent\nsince \\ start.'}).add(3, {'error.type': 'a "b"\\\n'});
		meter.createGauge('charge', {unit: '1'}).record(0.5);
		const duration = meter.createHistogram('duration', {unit: 's', advice: {explicitBucketBoundaries: [0.5, 2.5]}});
		for (const value of [0.5, 1, 9]) duration.record(value);
	});
	const common = 'instance="one",job="bridge",otel_scope_name="test",otel_scope_schema_url="",otel_scope_version="1.0"';
	t.is(
		page,
		`# HELP charge_ratio \n# TYPE charge_ratio gauge\ncharge_ratio{${common}} 0.5
# HELP duration_seconds \n# TYPE duration_seconds histogram
duration_seconds_bucket{${common},le="0.5"} 1
duration_seconds_bucket{${common},le="2.5"} 2
duration_seconds_bucket{${common},le="+Inf"} 3
duration_seconds_sum{${common}} 10.5
duration_seconds_count{${common}} 3
# HELP sent_total Sent\\nsince \\\\ start.\n# TYPE sent_total counter
sent_total{error_type="a \\"b\\"\\\\\\n",${common}} 3
# HELP target_info Target metadata\n# TYPE target_info gauge
target_info{instance="one",job="bridge"} 1
`,
	);
});

const onlySample = async (attributes: Attributes) =>
	parsePrometheusText(await pageOf(meter => meter.createGauge('g').record(1, attributes)))[0]?.samples[0]?.labels ?? {};

test('attributes that come to one label share it, in the order of their names', async t => {
	t.is((await onlySample({a_b: '1', 'a.b': '2', 'a-b': '3'})).a_b, '3;2;1');
});

test('an attribute does not change who sent the metric', async t => {
	t.like(await onlySample({job: 'other', instance: 'other', 'otel.scope.name': 'other'}), {
		job: 'bridge',
		instance: 'one',
		otel_scope_name: 'test',
	});
});

test('values that are not text', async t => {
	const labels = await onlySample({yes: true, list: ['a', '<b>'], half: 0.5, big: 2 ** 60, huge: 1e21, tiny: 1e-7});
	t.like(labels, {yes: 'true', list: '["a","<b>"]', half: '0.5', big: '1152921504606846976', huge: '1e+21', tiny: '1e-7'});
});

test('the namespace is part of the job, other resource attributes describe the target', async t => {
	const page = await pageOf(() => {}, {...identity, 'service.namespace': 'site', 'host.name': 'h1', 'a.b': 1, a_b: 2});
	t.deepEqual(parsePrometheusText(page), [
		{
			name: 'target_info',
			type: 'gauge',
			help: 'Target metadata',
			samples: [{name: 'target_info', labels: {job: 'site/bridge', instance: 'one', host_name: 'h1', a_b: '1;2'}, value: 1}],
		},
	]);
});

test('a target without an instance is not described', async t => {
	t.is(await pageOf(() => {}, {'service.name': 'bridge', 'host.name': 'h1'}), '');
});

test('the first of two metrics with one name settles its type', async t => {
	const page = await pageOf(meter => {
		meter.createGauge('a.total').record(1);
		meter.createCounter('a').add(2);
		meter.createHistogram('b').record(1);
		meter.createGauge('b.count').record(1);
		meter.createGauge('d.sum').record(3);
		meter.createHistogram('d').record(1);
		meter.createGauge('c.x').record(1);
		meter.createGauge('c_x').record(2);
	});
	const values = Object.fromEntries(
		parsePrometheusText(page).map(({name, type, samples}) => [name, [type, samples.at(-1)?.value]]),
	);
	t.deepEqual(values, {
		a_total: ['gauge', 1],
		b: ['histogram', 1],
		c_x: ['gauge', 1],
		d_sum: ['gauge', 3],
		target_info: ['gauge', 1],
	});
});

test('an exponential histogram has its sum and its count', async t => {
	const own = createPrometheusReader();
	const views = [{instrumentName: '*', aggregation: {type: AggregationType.EXPONENTIAL_HISTOGRAM as const}}];
	const provider = new MeterProvider({readers: [own.reader], views});
	provider.getMeter('test').createHistogram('e').record(4);
	const family = parsePrometheusText(await own.page()).find(({name}) => name === 'e');
	t.deepEqual(
		family?.samples.map(({name, value}) => [name, value]),
		[
			['e_bucket', 1],
			['e_sum', 4],
			['e_count', 1],
		],
	);
	await provider.shutdown();
});

test('a metric that cannot be read is missing, and no other', async t => {
	const page = await pageOf(meter => {
		meter.createObservableGauge('broken').addCallback(() => {
			throw new Error('the disk is gone');
		});
		meter.createObservableGauge('well').addCallback(result => result.observe(1));
	});
	t.deepEqual(
		parsePrometheusText(page).map(({name}) => name),
		['target_info', 'well'],
	);
});

const anyText = fc.oneof(
	fc.string({unit: 'binary', maxLength: 12}),
	fc.string({maxLength: 6}),
	fc.constantFrom('a.b', 'a_b', 'le', 'job', 'quantile', '"\n\\', '\ud800'),
);
const anyValue = fc.oneof(anyText, fc.double(), fc.integer(), fc.boolean(), fc.array(fc.string({maxLength: 3}), {maxLength: 2}));
const anyMetric = fc.record({
	name: fc.oneof(anyText, fc.constantFrom('a', 'a.count', 'a_sum', 'a.total', 'target.info')),
	unit: fc.oneof(fc.constantFrom('s', '1', 'By/s', '{x}', '%', ''), fc.string({maxLength: 4})),
	description: anyText,
	kind: fc.constantFrom('counter', 'gauge', 'updowncounter', 'histogram'),
	points: fc.array(fc.record({value: fc.double(), attributes: fc.dictionary(anyText, anyValue, {maxKeys: 4})}), {maxLength: 4}),
});
type AnyMetric = typeof anyMetric extends fc.Arbitrary<infer T> ? T : never;

function recordAny(meter: Meter, {name, unit, description, kind, points}: AnyMetric): void {
	const options = {unit, description};
	const counter = kind === 'counter' ? meter.createCounter(name, options) : meter.createUpDownCounter(name, options);
	const gauge = kind === 'gauge' ? meter.createGauge(name, options) : undefined;
	const histogram = kind === 'histogram' ? meter.createHistogram(name, options) : undefined;
	for (const {value, attributes} of points) {
		if (gauge) gauge.record(value, attributes);
		else if (histogram) histogram.record(value, attributes);
		else counter.add(kind === 'counter' ? Math.abs(value) : value, attributes);
	}
}

test('whatever is recorded, the page is of the format', async t => {
	const pages: string[] = [];
	await fc.assert(
		fc.asyncProperty(
			fc.array(anyMetric, {maxLength: 6}),
			fc.dictionary(anyText, anyValue, {maxKeys: 4}),
			async (metrics, resource) => {
				const page = await pageOf(meter => metrics.map(metric => recordAny(meter, metric)), {...resource, ...identity});
				parsePrometheusText(page);
				t.is(Buffer.from(page).toString(), page); // No half characters.
				pages.push(page);
			},
		),
		{numRuns: 400},
	);
	const promtool = peer('promtool');
	if (!promtool) {
		t.log('promtool is not installed: checked with our own parser only');
		return;
	}
	for (const page of pages.filter(page => page !== '').slice(-20)) {
		t.notRegex(await checkWithPromtool(promtool, page), /error while linting|parsing error/i);
	}
});
