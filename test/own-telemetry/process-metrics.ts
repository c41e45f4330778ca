import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import test from 'ava';
import {observeProcess, processMetrics, watchEventLoop} from '../../src/own-telemetry/process-metrics.ts';
import {eventually} from '../helpers/listen.ts';
import {startPage} from '../helpers/meter.ts';
import {parsePrometheusText} from '../helpers/prometheus-text.ts';

function block(millis: number): void {
	const until = Date.now() + millis;
	while (Date.now() < until);
}

test('the names are those of the semantic conventions', t => {
	const known = new Set<unknown>(Object.values(conventions));
	for (const {name} of Object.values(processMetrics)) t.true(known.has(name), name);
	t.is(conventions.ATTR_CPU_MODE, 'cpu.mode');
	t.is(conventions.ATTR_HOST_NAME, 'host.name');
});

test('the process is on the page under the names of the semantic conventions', async t => {
	const own = startPage(t);
	t.teardown(observeProcess());
	const families = new Map(parsePrometheusText(await own.page()).map(family => [family.name, family]));
	const firstValue = (name: string) => families.get(name)?.samples[0]?.value ?? Number.NaN;
	t.true(firstValue('process_memory_usage_bytes') > 10_000_000);
	t.true(firstValue('process_uptime_seconds') > 0);
	t.deepEqual(
		families.get('process_cpu_time_seconds_total')?.samples.map(({labels}) => labels.cpu_mode),
		['system', 'user'],
	);
	if (process.platform === 'linux') t.true(firstValue('process_unix_file_descriptor_count') > 3);
	for (const name of ['mean', 'p99', 'max']) t.true(firstValue(`nodejs_eventloop_delay_${name}_seconds`) >= 0, name);
	t.true(firstValue('nodejs_eventloop_utilization_ratio') <= 1);
});

test('a blocked event loop is seen by every reader of the window, and is over in the next', async t => {
	let now = 0;
	const eventLoop = watchEventLoop({windowMillis: 1000, now: () => now});
	t.teardown(eventLoop.stop);
	await eventually(() => {
		block(150);
		return eventLoop.read().max > 0.1;
	});
	now = 1000;
	const first = eventLoop.read();
	t.true(first.max > 0.1 && first.utilization > 0);
	t.is(eventLoop.read(), first);
	now = 1999;
	t.is(eventLoop.read(), first);
	now = 2000;
	t.true(eventLoop.read().max < first.max);
});
