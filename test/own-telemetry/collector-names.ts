import type {Attributes, Meter} from '@opentelemetry/api';
import {OTLPMetricExporter} from '@opentelemetry/exporter-metrics-otlp-proto';
import {resourceFromAttributes} from '@opentelemetry/resources';
import {MeterProvider, PeriodicExportingMetricReader} from '@opentelemetry/sdk-metrics';
import type {ExecutionContext} from 'ava';
import {metricNameOf} from '../../src/own-telemetry/names.ts';
import {createPrometheusReader} from '../../src/own-telemetry/prometheus.ts';
import {bridgeMetrics, type MetricDefinition} from '../../src/telemetry.ts';
import {startCollector} from '../helpers/collector.ts';
import {eventually, freePort} from '../helpers/listen.ts';
import {testWithPeer} from '../helpers/peers.ts';

const resource = {
	'service.name': 'callhome-bridge',
	'service.namespace': 'site',
	'service.instance.id': 'a1',
	'a.b': 'joined',
	a_b: 'in target_info',
	'host.name': 'h "quoted"\nback\\slash',
	'9digit': true,
	cores: 4,
	load: 0.25,
	addresses: ['10.0.0.1', '<none>'],
};

type Pages = {readonly own: string; readonly collector: string};

/** The same metrics as our page, and as the page of a real Collector that got them over OTLP. */
async function bothPages(t: ExecutionContext, record: (provider: MeterProvider) => void): Promise<Pages> {
	const [intake, page] = [await freePort(), await freePort()];
	await startCollector(t, {
		receivers: {otlp: {protocols: {http: {endpoint: `127.0.0.1:${intake}`}}}},
		exporters: {prometheus: {endpoint: `127.0.0.1:${page}`}},
		service: {pipelines: {metrics: {receivers: ['otlp'], exporters: ['prometheus']}}},
	});
	const own = createPrometheusReader();
	const exporter = new OTLPMetricExporter({url: `http://127.0.0.1:${intake}/v1/metrics`});
	const otlp = new PeriodicExportingMetricReader({exporter, exportIntervalMillis: 3_600_000});
	const provider = new MeterProvider({resource: resourceFromAttributes(resource), readers: [own.reader, otlp]});
	t.teardown(() => provider.shutdown());
	record(provider);
	await otlp.forceFlush();
	const collector = await eventually(async () => (await fetch(`http://127.0.0.1:${page}/metrics`)).text());
	return {own: await own.page(), collector};
}

function recordOnce(meter: Meter, {name, instrument, unit, description}: MetricDefinition, attributes: Attributes): void {
	const options = {unit, description};
	if (instrument === 'counter') meter.createCounter(name, options).add(7, attributes);
	else if (instrument === 'updowncounter') meter.createUpDownCounter(name, options).add(-2, attributes);
	else if (instrument === 'gauge') meter.createGauge(name, options).record(1.7e9, attributes);
	else meter.createHistogram(name, options).record(0.25, attributes);
}

testWithPeer('otelcol', 'every metric of the bridge is on our page as it is on the page of the Collector', async t => {
	const {own, collector} = await bothPages(t, provider => {
		const meter = provider.getMeter('callhome-bridge');
		for (const metric of Object.values(bridgeMetrics)) {
			recordOnce(meter, metric, {'error.type': 'ERR_TLS', 'callhome.connection': 'direct'});
			recordOnce(meter, metric, {'callhome.connection': 'proxy p.example:3128'});
		}
	});
	t.is(own, collector);
	for (const {name, unit, instrument} of Object.values(bridgeMetrics)) {
		t.true(collector.includes(`# TYPE ${metricNameOf(name, unit, instrument)} `), name);
	}
});

/** Names and units at the edges of the rules. */
const gauges: readonly (readonly [name: string, unit: string])[] = [
	['g', '1'],
	['some.ratio', '1'],
	['fan', 'rpm'],
	['t.seconds.x', 's'],
	['odd.°unit', 'foo°'],
	['odd.both', 'foo°/s'],
	['foo.twice', 'foo°/s'],
	['per.only', '/s'],
	['per.cleaned', 's/°'],
	['per.unit', 'per'],
	['minutes', 'm/m'],
	['unknown.per', 'KiBy/fortnight'],
	['two.slashes', 'By/s/s'],
	['weird name-with/slash..dots', '{x}'],
	['annotated', '{packet}/s'],
	['9lives', 'h'],
	['a:b:c', ''],
	['ünï', ''],
	['total', ''],
	['temperature', 'Cel'],
];
const unitsOfSemanticConventions = [
	's',
	'ms',
	'By',
	'J',
	'W',
	'V',
	'A',
	'Hz',
	'%',
	'min',
	'd',
	'By/s',
	'KiBy',
	'GBy',
	'us',
	'g',
	'm',
];

testWithPeer('otelcol', 'names and units at the edges of the rules are as the Collector makes them', async t => {
	const {own, collector} = await bothPages(t, provider => {
		const meter = provider.getMeter('edges', '1.2', {schemaUrl: 'https://example.com/schema'});
		for (const [name, unit] of gauges) meter.createGauge(name, {unit, description: `of ${name}`}).record(1);
		for (const unit of unitsOfSemanticConventions) {
			meter.createGauge(`gauge.in.${unit.replace('%', 'pct')}`, {unit}).record(1);
			meter.createCounter(`counter.${unit.replace('%', 'pct')}`, {unit}).add(1);
		}
		meter.createCounter('total.of.one', {unit: '1'}).add(5);
		meter.createUpDownCounter('level', {unit: '1', description: 'multi\nline \\ "quoted"'}).add(-2);
	});
	t.is(own, collector);
});

const values = [0, -0, 1, -1, 0.5, 1e-7, 0.0001, 0.00012345, 123456, 1e6, 1234567.5, 1e21, Number.NaN, Infinity, -Infinity];
const attributeSets: readonly Attributes[] = [
	{'q"uo': 'a"b\\c\nd\te\r', 'ünï.cöde': '日本語😀'},
	{'9x': 'digit', _x: 'underscore', 'a--b': 'two'},
	{ok: true, half: 1.5, big: 1e21, small: 1e-7, whole: 2 ** 60, list: [1, 2.5, 3], texts: ['a<', '&'], nan: Number.NaN},
	{half: '\ud800 of a character'},
];

testWithPeer('otelcol', 'values, attributes and their order are as the Collector writes them', async t => {
	const {own, collector} = await bothPages(t, provider => {
		const meter = provider.getMeter('values');
		for (const [index, value] of values.entries()) meter.createGauge(`value.${index}`).record(value);
		for (const [index, attributes] of attributeSets.entries()) meter.createGauge(`attributes.${index}`).record(1, attributes);
		const sorted = meter.createGauge('sorted');
		for (const k of ['\uffff', '😀', 'z', 'é', 'Z', '']) sorted.record(1, {k});
		for (const attributes of [{}, {z: '1', a: '1'}]) sorted.record(1, attributes);
		const histogram = meter.createHistogram('durations', {unit: 's'});
		for (const [k, value] of [
			['a', 0.003],
			['a', 77],
			['b', 1e9],
		] as const)
			histogram.record(value, {k});
		meter.createHistogram('own.bounds', {advice: {explicitBucketBoundaries: [0.1, 1, 10, 1e6, 1e7]}}).record(0.5);
		for (const scope of ['one', 'two']) provider.getMeter(scope, '1').createCounter('shared').add(1);
	});
	t.is(own, collector);
});

testWithPeer('otelcol', 'a series that the Collector cannot carry is on our page all the same', async t => {
	const {own, collector} = await bothPages(t, provider => {
		const meter = provider.getMeter('collisions');
		meter.createGauge('joined').record(1, {a_b: '1', 'a.b': '2'});
		meter.createGauge('carried').record(1);
	});
	t.false(collector.includes('joined{'));
	t.true(own.includes('joined{a_b="2;1",'));
	const withoutJoined = own.split('\n').filter(line => !/^(?:# \w+ )?joined[ {]/.test(line));
	t.is(withoutJoined.join('\n'), collector);
});
