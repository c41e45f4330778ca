import test from 'ava';
import type {Answer, Outcome} from '../../src/outcome.ts';
import type {Problem} from '../../src/problem.ts';
import {retrySchema} from '../../src/sending/retry.ts';
import {type Settlement, settlementOf} from '../../src/sending/settle.ts';
import type {Submission} from '../../src/submission.ts';
import {fault, createdAt as queuedAt, submissionOf, system} from '../helpers/submissions.ts';

const day = 86_400_000;
const now = queuedAt + 1000;
const policy = {retry: retrySchema.parse({}), caseQuery: {intervalMillis: 30_000, count: 10}};

const problem: Problem = {
	id: 'p1',
	key: 'k1',
	state: 'queued',
	reason: '',
	title: fault.title,
	severity: fault.severity,
	test: false,
	count: fault.count,
	firstSeen: fault.firstSeen,
	lastSeen: fault.lastSeen,
	systemKey: 's1',
	system,
	component: fault.component,
	transactionId: 'tx1',
	caseNumber: undefined,
	acceptedAt: undefined,
	recoveredAt: undefined,
	closedAt: undefined,
	releaseAt: undefined,
	traceparent: '00-1',
};
const alert = submissionOf('hardware_alert', {id: 'tx1', transactionId: 'tx1'});
const query = submissionOf('case_query', {id: 'tx1_case_query', transactionId: 'tx1_case_query', aboutTransactionId: 'tx1'});
const error = new Error('esupport.example did not answer');

function settled(
	submission: Submission,
	outcome: Outcome,
	changes: Partial<Problem> = {},
	{at = now, others = []}: {at?: number; others?: readonly Problem[]} = {},
): Settlement {
	const problems = new Map([{...problem, ...changes}, ...others].map(one => [one.transactionId, one]));
	return settlementOf({submission, outcome, problems, now: at, random: () => 0.5}, policy);
}

const acknowledged = (...answers: readonly Answer[]): Outcome => ({status: 'acknowledged', reference: 'tx1', answers});
const typesOf = ({offers}: Settlement) => offers.map(({type}) => type);
const wordsOf = ({notes}: Settlement) => notes.map(({level, word}) => `${level} ${word}`);
const numbered = {transactionId: 'tx1', caseNumber: 'TS0042'};

test('accepted is not yet a case: the number is asked for in half a minute', t => {
	const result = settled(alert, acknowledged());
	t.deepEqual(result.submission, {action: 'remove'});
	t.like(result.problems[0], {state: 'accepted', acceptedAt: now, caseNumber: undefined});
	t.deepEqual(typesOf(result), ['case_query']);
	t.like(result.offers[0], {notBefore: now + 30_000, aboutTransactionId: 'tx1', content: {transactionIds: ['tx1']}});
	t.deepEqual(wordsOf(result), ['info accepted']);
	t.is(result.final, 'acknowledged');
});

test('a case number that comes with the acceptance is confirmed, and not asked for', t => {
	const result = settled(alert, acknowledged(numbered));
	t.like(result.problems, [{state: 'open', caseNumber: 'TS0042', acceptedAt: now}]);
	t.deepEqual(typesOf(result), ['confirmation']);
	t.deepEqual(wordsOf(result), ['info accepted', 'info case_number']);
});

test('the answer to another transaction is not the answer to this one', t => {
	const other = {...problem, id: 'p2', transactionId: 'tx2', state: 'accepted' as const};
	const result = settled(alert, acknowledged({transactionId: 'tx2', caseNumber: 'TS2'}), {}, {others: [other]});
	t.deepEqual(typesOf(result), ['case_query', 'confirmation']);
	const asked = settled(query, acknowledged({transactionId: 'tx2', caseNumber: 'TS2'}), {state: 'accepted'}, {others: [other]});
	t.like(asked.submission, {action: 'postpone', rounds: 1});
	t.like(asked.problems, [{id: 'p2', state: 'open'}]);
});

test('the question is asked ten times, and then only by heartbeats', t => {
	const accepted = {state: 'accepted', acceptedAt: now} as const;
	const first = settled(query, acknowledged(), accepted);
	t.deepEqual(first.submission, {action: 'postpone', notBefore: now + 30_000, attempts: 0, rounds: 1, uncertain: false});
	t.is(first.final, undefined, 'a question that is asked again has no final answer');
	t.deepEqual(settled({...query, rounds: 9}, acknowledged(), accepted).submission, {action: 'remove'});
});

test('the question ends when a heartbeat brought the answer meanwhile', t => {
	for (const changes of [{state: 'open', caseNumber: 'TS1'}, {state: 'rejected'}] as const)
		t.deepEqual(settled(query, acknowledged(), changes).submission, {action: 'remove'});
	t.is(
		settled(query, acknowledged(), {state: 'closed', acceptedAt: 1}).submission.action,
		'postpone',
		'also of a closed problem',
	);
});

test('a case number that came does not change any more', t => {
	const result = settled(query, acknowledged({...numbered, caseNumber: 'TS9'}), {state: 'open', caseNumber: 'TS1'});
	t.deepEqual(result.problems, []);
	t.deepEqual(result.offers, []);
});

test('an acceptance after the case number leaves the problem open', t => {
	const result = settled(alert, acknowledged(), {state: 'open', caseNumber: 'TS1'});
	t.like(result.problems, [{state: 'open', caseNumber: 'TS1'}]);
	t.deepEqual(typesOf(result), []);
});

test('a problem that was closed meanwhile stays closed, and its number is still learned and confirmed', t => {
	const accepted = settled(alert, acknowledged(), {state: 'closed', reason: 'recovered'});
	t.like(accepted.problems, [{state: 'closed', reason: 'recovered', acceptedAt: now}]);
	const result = settled(query, acknowledged(numbered), {state: 'closed', reason: 'recovered', acceptedAt: 1});
	t.like(result.problems, [{state: 'closed', reason: 'recovered', caseNumber: 'TS0042'}]);
	t.deepEqual(typesOf(result), ['confirmation']);
});

test('IBM answers no: rejected with its words, and no question is left', t => {
	const refusal = acknowledged({transactionId: 'tx1', error: 'no entitlement'});
	const result = settled(query, refusal, {state: 'accepted'});
	t.like(result.problems, [{state: 'rejected', reason: 'no entitlement'}]);
	t.deepEqual(result.submission, {action: 'remove'});
	t.deepEqual(wordsOf(result), ['error rejected']);
	const atOnce = settled(alert, refusal, {recoveredAt: now});
	t.like(atOnce.problems, [{state: 'rejected'}]);
	t.deepEqual(atOnce.offers, [], 'IBM is not told of the recovery of what it refused');
});

test('a case number after a refusal, or after the end of no_case_number, counts', t => {
	for (const changes of [
		{state: 'rejected', reason: 'no'},
		{state: 'accepted', reason: 'no_case_number'},
	] as const) {
		const heartbeat = submissionOf('heartbeat', {id: 'h', transactionId: 'h', problemId: undefined});
		const result = settled(heartbeat, acknowledged(numbered), changes);
		t.like(result.problems, [{state: 'open', reason: '', caseNumber: 'TS0042'}]);
	}
});

test('a refused submission makes the problem rejected, and is gone', t => {
	const result = settled(alert, {status: 'rejected', error: new Error(`bad ${'x'.repeat(5000)}`)});
	t.deepEqual(result.submission, {action: 'remove'});
	t.is(result.problems[0]?.state, 'rejected');
	t.is(result.problems[0]?.reason.length, 1000);
	t.is(result.final, 'rejected');
});

test('what IBM has taken is not lost by a later refusal', t => {
	t.deepEqual(settled(alert, {status: 'rejected', error}, {state: 'open', caseNumber: 'TS1'}).problems, []);
	const status = submissionOf('status', {aboutTransactionId: 'tx1'});
	t.deepEqual(settled(status, {status: 'rejected', error}, {state: 'open'}).problems, []);
});

test('attempts, pause and Retry-After are arithmetic that is stored', t => {
	const postponed = settled({...alert, attempts: 2}, {status: 'unreachable', error});
	t.deepEqual(postponed.submission, {action: 'postpone', notBefore: now + 120_000, attempts: 3, rounds: 0, uncertain: false});
	t.deepEqual(wordsOf(postponed), ['warn unreachable']);
	t.like(settled(alert, {status: 'deferred', error, retryAfterMillis: 600_000}).submission, {notBefore: now + 600_000});
	t.is(postponed.final, undefined);
});

test('a doubt about an attempt stays until the answer', t => {
	const uncertainAfter = (uncertain: boolean, outcome: Outcome) => settled({...alert, uncertain}, outcome).submission;
	t.like(uncertainAfter(false, {status: 'deferred', error, uncertain: true}), {uncertain: true});
	t.like(uncertainAfter(true, {status: 'deferred', error}), {uncertain: true});
	t.like(uncertainAfter(true, {status: 'unreachable', error}), {uncertain: true});
	t.like(uncertainAfter(false, {status: 'unreachable', error}), {uncertain: false});
});

test('an inventory that IBM does not take is tried a few times a day, for each attempt is kept with all its bytes', t => {
	const unreachable: Outcome = {status: 'unreachable', error};
	const pauseOf = (attempts: number) => {
		const {submission} = settled(submissionOf('inventory', {problemId: undefined, attempts}), unreachable);
		return submission.action === 'postpone' ? (submission.notBefore - now) / 60_000 : 0;
	};
	t.deepEqual([0, 1, 2, 3, 4, 5, 50].map(pauseOf), [0.5, 2, 8, 32, 128, 480, 480]);
});

test('after thirty days without an answer a problem is parked, with an alarm', t => {
	const late = {at: queuedAt + 30 * day + 1};
	const result = settled(alert, {status: 'unreachable', error}, {firstSeen: Number.NaN}, late);
	t.deepEqual(result.submission, {action: 'remove'});
	t.like(result.problems, [{state: 'held', reason: 'unanswered', transactionId: 'tx1'}]);
	t.deepEqual(wordsOf(result), ['error parked']);
	t.is(settled(alert, {status: 'unreachable', error}, {}, {at: queuedAt + 30 * day}).submission.action, 'postpone');
	t.is(settled(query, {status: 'unreachable', error}, {state: 'accepted'}, late).submission.action, 'postpone');
	t.like(settled(alert, acknowledged(), {}, late).problems, [{state: 'accepted'}], 'an answer is never too late');
});

test('what became of a fault on its way is told after the acceptance', t => {
	const recovered = settled(alert, acknowledged(), {recoveredAt: now, count: 9});
	t.deepEqual(typesOf(recovered), ['case_query', 'status']);
	t.like(recovered.offers[1], {transactionId: 'tx1_status_9', aboutTransactionId: 'tx1'});
	t.like(recovered.offers[1]?.content.problem, {recovered: true, count: 9});
	const worse = settled(alert, acknowledged(), {severity: 21, title: 'It burns'});
	t.like(worse.offers[1]?.content.problem, {recovered: false, severity: 21, title: 'It burns'});
	t.deepEqual(typesOf(settled(alert, acknowledged(), {count: 9})), ['case_query'], 'more of the same is no news');
});

test('a problem is closed when IBM heard of its recovery, unless the fault came back', t => {
	const status = submissionOf('status', {
		aboutTransactionId: 'tx1',
		content: {system, createdAt: now, problem: {...fault, recovered: true}},
	});
	const closed = settled(status, acknowledged(), {state: 'open', caseNumber: 'TS1', recoveredAt: now});
	t.like(closed.problems, [{state: 'closed', reason: 'recovered', closedAt: now, caseNumber: 'TS1'}]);
	t.deepEqual(settled(status, acknowledged(), {state: 'open'}).problems, []);
	t.deepEqual(settled(submissionOf('status', {aboutTransactionId: 'tx1'}), acknowledged(), {recoveredAt: now}).problems, []);
});

test('a reply may close a problem and bring its case number at once', t => {
	const status = submissionOf('status', {
		aboutTransactionId: 'tx1',
		content: {system, createdAt: now, problem: {...fault, recovered: true}},
	});
	const result = settled(status, acknowledged(numbered), {state: 'accepted', recoveredAt: now});
	t.is(result.problems.length, 1);
	t.like(result.problems, [{state: 'closed', caseNumber: 'TS0042'}]);
});

test('one heartbeat brings the answers to many questions, each once', t => {
	const others = ['tx2', 'tx3'].map((transactionId, index) => ({
		...problem,
		id: `p${index + 2}`,
		transactionId,
		state: 'accepted' as const,
	}));
	const heartbeat = submissionOf('heartbeat', {id: 'h', transactionId: 'h', problemId: undefined});
	const answers = [
		numbered,
		numbered,
		{transactionId: 'tx2', error: 'no'},
		{transactionId: 'tx3'},
		{transactionId: 'tx4', caseNumber: 'TS4'},
	];
	const result = settled(heartbeat, acknowledged(...answers), {state: 'accepted'}, {others});
	t.deepEqual(
		result.problems.map(({id, state}) => `${id} ${state}`),
		['p1 open', 'p2 rejected'],
	);
	t.deepEqual(typesOf(result), ['confirmation']);
});

test('a test problem goes the same way', t => {
	t.like(settled({...alert, type: 'test'}, acknowledged(), {test: true}).problems, [{state: 'accepted'}]);
});
