import test from 'ava';
import {bridgeMetrics, type MetricDefinition} from '../../src/bridge-metrics.ts';
import {alertRequest, post} from '../helpers/bridge.ts';
import {startBridgeProcess} from '../helpers/bridge-process.ts';
import {eventually} from '../helpers/listen.ts';

const system = {machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C'};
const histograms = Object.values<MetricDefinition>(bridgeMetrics).filter(({instrument}) => instrument === 'histogram');

test('each histogram has bounds of its own, in order, and few enough', t => {
	t.is(histograms.length, 3);
	for (const {name, bounds = []} of histograms) {
		t.true(bounds.length > 8 && bounds.length <= 15, name);
		t.deepEqual(
			[...bounds].toSorted((a, b) => a - b),
			[...new Set(bounds)],
			name,
		);
	}
	t.true(bridgeMetrics.submissionDuration.bounds.includes(250), 'the objective');
});

test('an attempt of milliseconds is not shown as one of five seconds', async t => {
	const {otlp, metrics} = await startBridgeProcess(t, {system});
	await post(otlp, alertRequest({serial: 'J1A2B3C'}));
	const page = await eventually(async () => {
		const text = await (await fetch(metrics)).text();
		return text.includes('callhome_case_duration_seconds_count') ? text : undefined;
	});
	for (const {name, bounds = []} of histograms) {
		const series = `${name.replaceAll('.', '_')}_seconds_bucket`;
		const found = [...page.matchAll(new RegExp(`^${series}\\{.*le="([^"]+)"\\} (\\d+)$`, 'gm'))];
		const kept = new Set(found.map(([, le]) => Number(le)));
		for (const bound of bounds) t.true(kept.has(bound), `${name} ${bound}`);
	}
	const quick = [...page.matchAll(/^callhome_connection_duration_seconds_bucket\{.*le="2\.5"\} (\d+)$/gm)];
	t.true(quick.reduce((sum, [, count]) => sum + Number(count), 0) > 0);
});
