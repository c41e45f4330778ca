import test, {type ExecutionContext} from 'ava';
import type {Activity} from '../../../src/activity.ts';
import type {Diagnosis} from '../../../src/sending/doctor/diagnosis.ts';
import {examine} from '../../../src/sending/doctor/examine.ts';
import {createOperationalTest, type OperationalTestParts} from '../../../src/sending/doctor/operational-test.ts';
import {eventually} from '../../helpers/listen.ts';
import {connectionOf, destinationOf, dropped, goesWell, serverOf} from '../../helpers/scripted-walks.ts';

const examination =
	(script: typeof goesWell, millis = 0) =>
	(signal: AbortSignal) =>
		examine({
			connections: [connectionOf('direct', script, {millis: () => millis})],
			destinations: [destinationOf('problem_reporting', serverOf('esupport.example', {addresses: ['192.0.2.7']}))],
			probes: 'none',
			signal,
		});

function start(t: ExecutionContext, parts: Partial<OperationalTestParts>) {
	const seen = {reports: [] as Diagnosis[], activities: [] as Activity[], said: [] as string[]};
	const operationalTest = createOperationalTest({
		intervalMillis: 10,
		examine: examination(goesWell),
		report: diagnosis => void seen.reports.push(diagnosis),
		record: activities => void seen.activities.push(...activities),
		log: (_level, text) => seen.said.push(text),
		random: () => 0,
		...parts,
	});
	t.teardown(() => operationalTest.shutdown());
	return {operationalTest, ...seen};
}

test('every run is reported, and the activity log hears of what is new alone', async t => {
	const {operationalTest, reports, activities} = start(t, {examine: examination(dropped)});
	t.is(operationalTest.last(), undefined);
	await operationalTest.start();
	await eventually(() => reports.length >= 4);
	t.deepEqual(
		activities.map(({word}) => word),
		['path_failed', 'path_failed', 'no_way'],
	);
	t.is(operationalTest.last()?.passed, false);
});

test('a run never overlaps the next one, however long it takes', async t => {
	let [open, most, runs] = [0, 0, 0];
	const slow = examination(goesWell, 30);
	const {operationalTest} = start(t, {
		intervalMillis: 5,
		async examine(signal) {
			open += 1;
			most = Math.max(most, open);
			runs += 1;
			const diagnosis = await slow(signal);
			open -= 1;
			return diagnosis;
		},
	});
	await operationalTest.start();
	await eventually(() => runs >= 4);
	t.is(most, 1);
});

test('a run that fails is logged, and the next one comes', async t => {
	let runs = 0;
	const {operationalTest, reports, said} = start(t, {
		async examine(signal) {
			runs += 1;
			if (runs === 1) throw new Error('the store is full');
			return examination(goesWell)(signal);
		},
	});
	await operationalTest.start();
	await eventually(() => reports.length > 0);
	t.regex(said[0] ?? '', /the store is full/);
});

test('a shutdown gives up what is under way, reports nothing of it, and nothing follows', async t => {
	let runs = 0;
	const {operationalTest, reports, activities} = start(t, {
		intervalMillis: 60_000,
		firstMillis: 0,
		examine(signal) {
			runs += 1;
			return examination(dropped, 60_000)(signal);
		},
	});
	await operationalTest.start();
	await eventually(() => runs === 1);
	await operationalTest.shutdown();
	t.is(runs, 1);
	t.deepEqual([reports, activities], [[], []]);
});

test('a shutdown before the first run is one without a run', async t => {
	let runs = 0;
	const {operationalTest} = start(t, {intervalMillis: 60_000, random: () => 0.99, examine: () => Promise.reject(runs++)});
	await operationalTest.start();
	await operationalTest.shutdown();
	t.is(runs, 0);
});
