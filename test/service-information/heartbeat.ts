import {setTimeout as pause} from 'node:timers/promises';
import test from 'ava';
import type {Problem, System} from '../../src/problem.ts';
import {createHeartbeat, heartbeatsOf, serviceInformationSchema} from '../../src/service-information/heartbeat.ts';
import {missingCaseNumbers} from '../../src/service-information/overdue.ts';
import type {Submission} from '../../src/submission.ts';
import {acknowledged, failed, hour, noon, onlyProblem, openHouse} from '../helpers/decisions.ts';
import {eventually} from '../helpers/listen.ts';

const systemOf = (serialNumber: string): System => ({name: serialNumber, machineType: '8871', model: 'AC1', serialNumber});
const problemOf = (transactionId: string, changes: Partial<Problem> = {}): Problem => ({
	id: transactionId,
	key: '',
	state: 'accepted',
	reason: '',
	title: 'drive-3 has failed',
	severity: 17,
	test: false,
	count: 1,
	firstSeen: noon,
	lastSeen: noon,
	systemKey: '',
	system: systemOf('S1'),
	component: {id: '', type: '', name: ''},
	transactionId,
	caseNumber: undefined,
	acceptedAt: noon,
	recoveredAt: undefined,
	closedAt: undefined,
	releaseAt: undefined,
	traceparent: undefined,
	...changes,
});

const asked = (heartbeats: readonly Submission[]) =>
	heartbeats.map(({content}) => `${content.system.serialNumber}: ${content.transactionIds?.join(' ')}`);

test('one heartbeat for each system asks for all that is unanswered there', t => {
	const unanswered = [
		problemOf('a'),
		problemOf('b', {system: systemOf('S2')}),
		problemOf('c'),
		problemOf('d', {system: systemOf('S3')}),
	];
	t.deepEqual(asked(heartbeatsOf([systemOf('S1'), systemOf('S2')], unanswered, noon)), ['S1: a c', 'S2: b', 'S3: d']);
});

test('no system, no heartbeat; a system named twice has one', t => {
	t.deepEqual(heartbeatsOf([], [problemOf('a', {system: undefined})], noon), []);
	t.is(heartbeatsOf([systemOf('S1'), systemOf('S1')], [], noon).length, 1);
});

test('no answer is asked for that IBM does not keep any more', t => {
	const unanswered = [problemOf('old', {acceptedAt: noon - 72 * hour - 1}), problemOf('young', {acceptedAt: noon - 72 * hour})];
	t.deepEqual(asked(heartbeatsOf([], unanswered, noon)), ['S1: young']);
});

test('more questions than fit into one message are spread over several, each with an id of its own', t => {
	const unanswered = Array.from({length: 1201}, (_, index) => problemOf(`t${index}`));
	const heartbeats = heartbeatsOf([systemOf('S1')], unanswered, noon);
	t.deepEqual(
		heartbeats.map(({content}) => content.transactionIds?.length),
		[500, 500, 201],
	);
	t.deepEqual(
		heartbeats.flatMap(({content}) => content.transactionIds ?? []),
		unanswered.map(({transactionId}) => transactionId),
	);
	t.is(new Set(heartbeats.map(({id}) => id)).size, 3);
});

test('ids differ between systems and rounds', t => {
	const systems = Array.from({length: 2000}, (_, index) => systemOf(`S${index}`));
	const ids = [...heartbeatsOf(systems, [], noon), ...heartbeatsOf(systems, [], noon + 1)].map(({id}) => id);
	t.is(new Set(ids).size, 4000);
});

test('an interval of nothing and one that no timer can hold are refused', t => {
	for (const interval of ['0s', '30d']) t.false(serviceInformationSchema.safeParse({heartbeat: {interval}}).success);
	t.is(serviceInformationSchema.parse({}).heartbeat.interval, hour / 2);
});

const parts = (rounds: Submission[][], changes = {}) => ({
	intervalMillis: 100,
	systems: [systemOf('S1')],
	unanswered: async () => [],
	offer: async (heartbeats: readonly Submission[]) => {
		rounds.push([...heartbeats]);
	},
	log: () => {},
	...changes,
});

test('a round at the start, and then one each interval, until the shutdown', async t => {
	const rounds: Submission[][] = [];
	const heartbeat = createHeartbeat(parts(rounds));
	await heartbeat.start();
	t.is(rounds.length, 1);
	await eventually(() => rounds.length >= 3);
	await heartbeat.shutdown();
	const {length} = rounds;
	await pause(250);
	t.is(rounds.length, length);
});

test('the jitter is a twentieth to either side', async t => {
	for (const [random, least] of [
		[0, 0.95],
		[1, 1.05],
	] as const) {
		const times: number[] = [];
		const offer = async () => {
			times.push(performance.now());
		};
		const heartbeat = createHeartbeat(parts([], {offer, intervalMillis: 200, random: () => random}));
		await heartbeat.start();
		const shares = () => times.slice(1).map((time, index) => (time - (times[index] ?? 0)) / 200);
		// A busy machine makes rounds late, never early: the quickest of them shows the pause.
		await eventually(() => shares().some(share => share < least + 0.05));
		await heartbeat.shutdown();
		t.true(
			shares().every(share => share >= least - 0.01),
			`${shares()}`,
		);
	}
});

test('a round that cannot be queued is said, and the next one comes all the same', async t => {
	const rounds: Submission[][] = [];
	const said: string[] = [];
	let failures = 1;
	const offer = async (heartbeats: readonly Submission[]) => {
		if (failures-- > 0) throw new Error('the disk is full');
		rounds.push([...heartbeats]);
	};
	const heartbeat = createHeartbeat(parts(rounds, {offer, log: (_: string, text: string) => said.push(text)}));
	await heartbeat.start();
	await eventually(() => rounds.length === 1);
	await heartbeat.shutdown();
	t.deepEqual(said, ['the heartbeat could not be queued: the disk is full']);
});

test('a shutdown before the start, and during a round, ends it', async t => {
	const rounds: Submission[][] = [];
	const never = createHeartbeat(parts(rounds));
	await never.shutdown();
	await never.start();
	await pause(150);
	t.deepEqual(rounds, []);
	const slow = createHeartbeat(parts(rounds, {unanswered: () => pause(100, [])}));
	const started = slow.start();
	await slow.shutdown();
	await started;
	await pause(150);
	t.is(rounds.length, 1);
});

test('the heartbeats of an earlier round give way to those of the newest', async t => {
	const house = await openHouse(t);
	const offer = (heartbeats: readonly Submission[]) =>
		house.store.write(async records => {
			await records.removeSubmissionsOfType('heartbeat', []);
			for (const one of heartbeats) await records.offer(one);
		});
	await offer(heartbeatsOf([systemOf('S1'), systemOf('S2')], [], noon));
	await offer(heartbeatsOf([systemOf('S1'), systemOf('S2')], [], noon + 1));
	t.deepEqual(
		(await house.queue()).map(({content}) => content.createdAt),
		[noon + 1, noon + 1],
	);
});

test('a case number comes with a heartbeat after the questions have ended', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3'));
	const {transactionId} = await house.answer('hardware_alert');
	for (let round = 0; round < 10; round++) await house.answer('case_query');
	t.deepEqual(await house.queue(), []);
	const [heartbeat] = heartbeatsOf([], await house.store.read.unansweredProblems(), noon + hour);
	t.deepEqual(heartbeat?.content.transactionIds, [transactionId]);
	if (heartbeat) await house.settle(heartbeat, acknowledged(transactionId, {caseNumber: 'TS7'}));
	t.like(await onlyProblem(house), {state: 'open', caseNumber: 'TS7'});
});

test('72 hours without a case number: somebody has to call IBM, and is told once', t => {
	const late = noon + 72 * hour + 1;
	const {problems, activities} = missingCaseNumbers([problemOf('a'), problemOf('b', {acceptedAt: late})], late);
	t.like(problems, [{id: 'a', state: 'accepted', reason: 'no_case_number'}]);
	t.like(activities, [{level: 'error', word: 'no_case_number', problemId: 'a', at: late}]);
	t.regex(activities[0]?.text ?? '', /call IBM and name transaction a/);
	t.deepEqual(missingCaseNumbers(problems, late + hour), {problems: [], activities: []});
	t.deepEqual(missingCaseNumbers([problemOf('a')], noon + 72 * hour).problems, []);
});

test('the operational test runs every 15 minutes, is switched off in one word, and never burdens anybody', t => {
	const parse = (operational_test: unknown) => serviceInformationSchema.safeParse({operational_test});
	t.deepEqual(serviceInformationSchema.parse({}).operational_test, {enabled: true, interval: hour / 4});
	t.false(parse(false).data?.operational_test.enabled);
	t.true(parse(true).data?.operational_test.enabled);
	t.deepEqual(parse({enabled: false, interval: '1h'}).data?.operational_test, {enabled: false, interval: hour});
	for (const wrong of [{interval: '10ms'}, {interval: '8d'}, {enabled: 'no'}, {often: true}, 'no', null])
		t.false(parse(wrong).success);
	t.deepEqual(parse({often: true}).error?.issues[0]?.path, ['operational_test'], 'an unknown key keeps its place in the file');
});
