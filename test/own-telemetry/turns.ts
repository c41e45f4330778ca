import {MeterProvider} from '@opentelemetry/sdk-metrics';
import test from 'ava';
import {createPrometheusReader} from '../../src/own-telemetry/prometheus.ts';
import {createReadings} from '../../src/own-telemetry/readings.ts';
import {inTurns, type Steps} from '../../src/own-telemetry/turns.ts';
import {readingsOf} from '../helpers/trouble.ts';

test('work in turns gives what it gives at once, and between two steps others have their turn', async t => {
	const seen: string[] = [];
	function* work(): Steps<string> {
		for (const step of ['one', 'two', 'three']) {
			seen.push(step);
			yield;
		}
		return 'done';
	}
	const other = () => seen.push('other');
	setImmediate(other);
	t.is(await inTurns(work(), 0), 'done');
	t.deepEqual(seen.slice(0, 3), ['one', 'other', 'two']);
	await t.throwsAsync(
		inTurns(
			// biome-ignore lint/correctness/useYield: it fails before there is anything to wait for.
			(function* (): Steps<void> {
				throw new Error('broken');
			})(),
		),
		{message: 'broken'},
	);
});

test('while the page of a thousand machines is made, events are taken', async t => {
	const readings = createReadings();
	const {reader, page} = createPrometheusReader(readings.onPoints);
	const provider = new MeterProvider({readers: [reader]});
	t.teardown(() => provider.shutdown());
	for (let index = 0; index < 1000; index++)
		readings.measure('redfish', {'host.name': `db${index}`}, readingsOf(index, false), Date.now());
	let turns = 0;
	let taken = setImmediate(function take() {
		turns++;
		taken = setImmediate(take);
	});
	const text = await page();
	clearImmediate(taken);
	t.true(turns > 3, `${turns} turns`);
	t.true(text.includes('host_name="db999"'));
});
