import assert from 'node:assert/strict';
import {rm} from 'node:fs/promises';
import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {createOperate, operations} from '../../src/agent/operate.ts';
import {isBridgeError} from '../../src/errors.ts';
import {type HardwareEvent, isKept, Severity} from '../../src/event.ts';
import type {Outcome} from '../../src/outcome.ts';
import {holdReasons, isUnfinished, type Problem} from '../../src/problem.ts';
import {knownSystemSchema} from '../../src/processors/config.ts';
import type {Submission} from '../../src/submission.ts';
import {day, failed, hour, levelOf, minute, openHouse, policyOf, type Setting} from '../helpers/decisions.ts';

const kinds = ['failed', 'fatal', 'degraded', 'information', 'corrected', 'battery', 'ok', 'test', 'level 1', 'level 0'] as const;
type Kind = (typeof kinds)[number];
type Drawn = {readonly kind: Kind; readonly part: number; readonly machine: number; readonly again: boolean};

type Step =
	| {readonly do: 'take'; readonly events: readonly Drawn[]}
	| {readonly do: 'storm'; readonly machine: number; readonly from: number}
	| {readonly do: 'settle'; readonly which: number; readonly outcome: number}
	| {readonly do: 'order'; readonly which: number; readonly operation: (typeof operations)[number]}
	| {readonly do: 'wait'; readonly millis: number}
	| {readonly do: 'restart'; readonly knows: boolean; readonly consents: boolean};

const drawn = fc.record({
	kind: fc.constantFrom(...kinds),
	part: fc.nat({max: 3}),
	machine: fc.nat({max: 3}),
	again: fc.nat({max: 7}).map(dice => dice === 0),
});
const step: fc.Arbitrary<Step> = fc.oneof(
	{weight: 6, arbitrary: fc.record({do: fc.constant('take' as const), events: fc.array(drawn, {minLength: 1, maxLength: 5})})},
	{weight: 1, arbitrary: fc.record({do: fc.constant('storm' as const), machine: fc.nat({max: 3}), from: fc.constantFrom(0, 6)})},
	{weight: 6, arbitrary: fc.record({do: fc.constant('settle' as const), which: fc.nat(), outcome: fc.nat({max: 6})})},
	{
		weight: 3,
		arbitrary: fc.record({
			do: fc.constant('wait' as const),
			millis: fc.constantFrom(minute, 31 * minute, 3 * hour, 130 * hour, 31 * day, -2 * hour),
		}),
	},
	{
		weight: 2,
		arbitrary: fc.record({do: fc.constant('order' as const), which: fc.nat(), operation: fc.constantFrom(...operations)}),
	},
	{weight: 2, arbitrary: fc.record({do: fc.constant('restart' as const), knows: fc.boolean(), consents: fc.boolean()})},
);

/** Machines 0 and 1 are named by their label; 2 is machine 0 and 3 is one of its own, both known only by configuration. */
const machines = [
	{host: 'a', serial: 'S0'},
	{host: 'b', serial: 'S1'},
	{host: 'c', serial: undefined},
	{host: 'd', serial: undefined},
];
const label = {machine_type: '8871', model: 'AC1'};
const systems = [
	knownSystemSchema.parse({...label, match: {'host.name': 'c'}, serial_number: 'S0'}),
	knownSystemSchema.parse({...label, match: {'host.name': 'd'}, serial_number: 'S3'}),
];

function toEvent({kind, part, machine}: Drawn, at: number): HardwareEvent {
	const id = `part-${part}`;
	const given = {at, ...machines[machine]};
	if (kind === 'level 1' || kind === 'level 0') return levelOf(id, 'failed', Number(kind.at(-1)), given);
	const say = (attributes: Record<string, string>, severity: number = Severity.error) =>
		failed(id, {...given, severity, attributes});
	const words: Record<Exclude<Kind, 'level 1' | 'level 0'>, () => HardwareEvent> = {
		failed: () => say({}),
		fatal: () => say({}, Severity.fatal),
		degraded: () => say({'hw.state': 'degraded'}, Severity.warn),
		information: () => say({'hw.state': 'present'}, Severity.info),
		corrected: () => say({'hw.state': 'present', 'error.type': 'corrected'}, Severity.warn),
		battery: () => say({'hw.type': 'battery'}),
		ok: () => say({'hw.state': 'ok'}, Severity.info),
		test: () => say({'callhome.test': 'true'}),
	};
	return words[kind]();
}

const error = new Error('as drawn');
const outcomes: ((transactionId: string) => Outcome)[] = [
	transactionId => ({status: 'acknowledged', reference: transactionId, answers: []}),
	transactionId => ({status: 'acknowledged', reference: transactionId, answers: []}),
	transactionId => ({
		status: 'acknowledged',
		reference: transactionId,
		answers: [{transactionId, caseNumber: `TS-${Math.random()}`}],
	}),
	transactionId => ({status: 'acknowledged', reference: transactionId, answers: [{transactionId, error: 'no entitlement'}]}),
	() => ({status: 'deferred', error, uncertain: true}),
	() => ({status: 'unreachable', error}),
	() => ({status: 'rejected', error}),
];

/** The arrows, and those of two steps that one command may take. */
const arrows: Record<Problem['state'], readonly Problem['state'][]> = {
	identified: [],
	queued: ['accepted', 'open', 'rejected', 'held', 'closed'],
	accepted: ['open', 'closed', 'rejected'],
	open: ['closed'],
	closed: ['accepted', 'open'],
	held: ['queued', 'closed'],
	rejected: ['closed', 'queued'], // Released by a person.
};

const opensCase = ({type}: Submission) => type === 'hardware_alert' || type === 'test';

type World = {
	house: Awaited<ReturnType<typeof openHouse>>;
	setting: Setting;
	readonly events: HardwareEvent[];
	kept: number;
	readonly attempted: Map<string, string>;
	/** What this command may take from the queue. */
	mayGo: (submission: Submission) => boolean;
};

async function act(t: ExecutionContext, world: World, command: Step): Promise<void> {
	const {house} = world;
	const {clock} = house;
	world.mayGo = () => false;
	switch (command.do) {
		case 'take':
		case 'storm': {
			const all =
				command.do === 'take'
					? command.events
					: Array.from({length: 13}, (_, index) => ({
							kind: 'failed' as const,
							part: command.from + index,
							machine: command.machine,
							again: false,
						}));
			const events = all.map(one => (one.again && world.events[one.part]) || toEvent(one, clock.now));
			world.events.push(...events);
			world.mayGo = ({type}) => type === 'status'; // A newer one takes its place.
			world.kept += (await house.take(...events)).filter(isKept).length;
			return;
		}
		case 'settle': {
			const queue = await house.queue();
			const submission = queue[command.which % queue.length];
			if (!submission) return;
			const about = submission.aboutTransactionId ?? submission.transactionId;
			if (opensCase(submission) && submission.problemId) {
				const earlier = world.attempted.get(submission.problemId) ?? about;
				assert.equal(about, earlier, 'one problem is sent under one id');
				world.attempted.set(submission.problemId, about);
			}
			const outcome = (outcomes[command.outcome] ?? outcomes[0])?.(about);
			world.mayGo = ({id, problemId, type}) =>
				id === submission.id || (problemId === submission.problemId && (type === 'status' || type === 'case_query'));
			if (outcome) await house.settle(submission, outcome);
			return;
		}
		case 'order': {
			const problems = await house.problems();
			const problem = problems[command.which % Math.max(problems.length, 1)];
			if (!problem) return;
			const policy = policyOf(world.setting.policy);
			const operate = createOperate({store: house.store, policy, wake: () => {}, now: () => clock.now});
			world.mayGo = ({problemId}) => problemId === problem.id;
			try {
				await operate({operation: command.operation, id: problem.id, reason: ''});
				if (problem.state === 'rejected') world.attempted.delete(problem.id); // IBM has said that it has no case.
			} catch (thrown) {
				if (!isBridgeError(thrown, 'ERR_USAGE')) throw thrown;
			}
			return;
		}
		case 'wait':
			clock.now += command.millis;
			await house.releaseDue();
			return;
		case 'restart': {
			await house.close();
			world.setting = {systems: command.knows ? systems : [], policy: {consentsToCases: command.consents}};
			world.house = await openHouse(t, {directory: house.directory, ...world.setting});
			world.house.clock.now = clock.now;
			await world.house.reconsider();
		}
	}
}

type Seen = {readonly problems: ReadonlyMap<string, Problem>; readonly queue: readonly Submission[]};

async function see({house}: World): Promise<Seen> {
	const problems = await house.store.read.listProblems({limit: 100_000});
	return {problems: new Map(problems.map(problem => [problem.id, problem])), queue: await house.queue()};
}

async function check(world: World, before: Seen, after: Seen): Promise<void> {
	const all = [...after.problems.values()];
	const unfinished = all.filter(isUnfinished).map(({key}) => key);
	assert.equal(new Set(unfinished).size, unfinished.length, 'one unfinished problem for each fault');
	assert.equal(
		all.reduce((sum, {count}) => sum + count, 0),
		world.kept,
		'each kept event stands in one problem',
	);
	assert.equal(await world.house.store.read.countEvents(), world.kept, 'each kept event is stored once');
	for (const problem of all) checkProblem(problem, before.problems.get(problem.id), after.queue);
	for (const id of before.problems.keys()) assert.ok(after.problems.has(id), 'no problem disappears');
	const left = new Set(after.queue.map(({id}) => id));
	for (const submission of before.queue)
		if (!left.has(submission.id)) assert.ok(world.mayGo(submission), `${submission.id} went`);
	const transactions = after.queue.map(({transactionId}) => transactionId);
	assert.equal(new Set(transactions).size, transactions.length);
}

function checkProblem(problem: Problem, before: Problem | undefined, queue: readonly Submission[]): void {
	const cases = queue.filter(one => one.problemId === problem.id && opensCase(one));
	assert.equal(cases.length, problem.state === 'queued' ? 1 : 0, `${problem.state} ${problem.reason}: case submissions`);
	if (cases[0]) assert.equal(cases[0].transactionId, problem.transactionId);
	if (cases[0]) assert.equal(cases[0].type, problem.test ? 'test' : 'hardware_alert');
	if (problem.state === 'held') assert.ok((holdReasons as readonly string[]).includes(problem.reason), problem.reason);
	if (problem.state === 'rejected') assert.notEqual(problem.reason, '');
	if (problem.state !== 'held') assert.equal(problem.releaseAt, undefined);
	assert.equal(problem.caseNumber !== undefined && problem.acceptedAt === undefined, false, 'no case without an acceptance');
	if (!before) return;
	if (before.caseNumber !== undefined) assert.equal(problem.caseNumber, before.caseNumber, 'a case number never changes');
	if (before.acceptedAt !== undefined && before.state !== 'rejected') assert.equal(problem.transactionId, before.transactionId);
	if (before.state !== problem.state)
		assert.ok(arrows[before.state].includes(problem.state), `${before.state} to ${problem.state}`);
	assert.ok(problem.count >= before.count || /^merged/.test(problem.reason), 'events stay');
}

test('whatever happens, in whatever order, one fault is one problem and nothing is lost', async t => {
	t.timeout(120_000);
	await fc.assert(
		fc.asyncProperty(fc.array(step, {minLength: 5, maxLength: 40}), async steps => {
			const house = await openHouse(t, {});
			const world: World = {house, setting: {}, events: [], kept: 0, attempted: new Map(), mayGo: () => false};
			try {
				let seen = await see(world);
				for (const command of steps) {
					await act(t, world, command);
					const next = await see(world);
					await check(world, seen, next);
					seen = next;
				}
			} finally {
				await world.house.close();
				await rm(house.directory, {recursive: true, force: true});
			}
		}),
		{numRuns: Number(process.env.MODEL_RUNS ?? 60)},
	);
	t.pass();
});
