import {hash} from 'node:crypto';
import test from 'ava';
import {falsifications} from './crash/falsify.ts';
import type {LedgerEvidence} from './crash/ledger.ts';
import {createRandom} from './crash/random.ts';
import {createStories, type Fault, stormThreshold, titleOf} from './crash/stories.ts';
import {type Acknowledged, type Evidence, judge} from './crash/verdict.ts';

const disk: Fault = {serialNumber: 'J00001', component: 'C00001', inStorm: false};
const fan: Fault = {serialNumber: 'J00001', component: 'C00002', inStorm: false};
const shaken: Fault = {serialNumber: 'W00002', component: 'C00003', inStorm: true};
const shakenToo: Fault = {serialNumber: 'W00002', component: 'C00004', inStorm: true};

const acknowledged = (fault: Fault, index: number, state: 'failed' | 'ok' = 'failed'): Acknowledged => ({
	record: {uid: `${fault.component}-${index}`, fault, state, severity: 17},
	acknowledgements: 1,
	acknowledgedRequestAt: 1000,
});
const kept = (uid: string, problemId: string) => ({uid, problemId, receivedAt: 1001});
const problem = (id: string, state: string, count: number) => ({
	id,
	state,
	reason: '',
	count,
	transactionId: `service_${id}`,
	caseNumber: `TS-${id}`,
});
const opened = (id: string, assetId: string, code: string) => ({caseNumber: `TS-${id}`, eventId: `service_${id}`, assetId, code});

const sha256 = (text: string) => hash('sha256', text);

function ledgerOf(entries: readonly (readonly [attempt: number, fields: object])[]): LedgerEvidence {
	let previous = '0'.repeat(64);
	return {
		entries: entries.map(([attempt, fields], index) => {
			const entry = JSON.stringify(fields);
			previous = sha256(`${previous}\n${entry}`);
			return {sequence: index + 1, attempt, entry, hash: previous};
		}),
		attempts: [{sequence: 1, destination: 'ibm:443', request: 'problem', end: 'accepted'}],
	};
}

/** A disk that failed, a fan that recovered, and two faults in one storm. */
const good: Evidence = {
	acknowledged: [
		acknowledged(disk, 0),
		acknowledged(fan, 0),
		acknowledged(fan, 1, 'ok'),
		acknowledged(shaken, 0),
		acknowledged(shakenToo, 0),
	],
	events: [
		kept('C00001-0', 'disk'),
		kept('C00002-0', 'fan'),
		kept('C00002-1', 'fan'),
		kept('C00003-0', 'storm'),
		kept('C00004-0', 'storm'),
	],
	problems: [problem('disk', 'open', 1), problem('fan', 'closed', 2), problem('storm', 'open', 2)],
	waiting: [],
	cases: [
		opened('disk', 'J00001', titleOf(disk)),
		opened('fan', 'J00001', titleOf(fan)),
		opened('storm', 'W00002', 'Storm: many hardware faults on w00002.example'),
	],
	countedEvents: 5,
	metrics: {accepted: 5, standing: 5},
	integrity: 'ok',
	ledger: ledgerOf([
		[1, {sequence: 1, kind: 'request', attempt: 1, destination: 'ibm:443', text_sha256: sha256('problem')}],
		[1, {sequence: 2, kind: 'reply', attempt: 1, text_sha256: sha256('accepted')}],
	]),
	setAside: [],
	leaks: [],
	mishaps: [],
};

test('a campaign after which everything is there has no violation', t => {
	t.deepEqual(judge(good), {violations: [], lost: 0, doubleCases: 0, duplicates: 0, faults: 4});
});

for (const [what, says, falsify] of falsifications) {
	test(`the verdict sees ${what}`, t => {
		const {violations} = judge(falsify(good));
		t.true(
			violations.some(violation => says.test(violation)),
			violations.join('\n'),
		);
	});
}

test('lost events and double cases are counted apart', t => {
	const doubled = {...opened('disk', 'J00001', titleOf(disk)), caseNumber: 'TS-second'};
	t.like(judge({...good, events: good.events.slice(2), cases: [...good.cases, doubled]}), {lost: 2, doubleCases: 1});
});

test('a fault in a storm that has a case of its own as well has two', t => {
	const own = {...opened('own', 'W00002', titleOf(shaken))};
	const {violations} = judge({...good, cases: [...good.cases, own]});
	t.true(violations.includes('C00003 of W00002 has 2 cases'), violations.join('\n'));
});

test('a system may have two storms, as long as no fault is in both', t => {
	const again: Evidence = {
		...good,
		events: good.events.map(event => (event.uid === 'C00004-0' ? {...event, problemId: 'again'} : event)),
		problems: [...good.problems.filter(({id}) => id !== 'storm'), problem('storm', 'open', 1), problem('again', 'open', 1)],
		cases: [...good.cases, opened('again', 'W00002', 'Storm: many hardware faults on w00002.example')],
	};
	t.deepEqual(judge(again).violations, []);
	const repeated = acknowledged(shakenToo, 1);
	const both = {
		...again,
		acknowledged: [...again.acknowledged, repeated],
		events: [...again.events, kept(repeated.record.uid, 'storm')],
	};
	t.true(judge(both).violations.includes('C00004 of W00002 has 2 cases'));
});

test('a fault that is over and whose problem stays open is seen', t => {
	const problems = good.problems.map(known => ({...known, state: 'open'}));
	t.deepEqual(judge({...good, problems}).violations, ['C00002 was last ok, its problem is open and not closed']);
});

test('a campaign in which nothing was acknowledged shows nothing', t => {
	const empty = {
		...good,
		acknowledged: [],
		events: [],
		problems: [],
		cases: [],
		countedEvents: 0,
		metrics: {accepted: 0, standing: 0},
	};
	t.deepEqual(judge(empty).violations, ['no event was acknowledged: nothing is shown']);
});

test('a delivery is a duplicate when the record was acknowledged before, or kept before it was sent', t => {
	const [first, ...rest] = good.acknowledged as [Acknowledged, ...Acknowledged[]];
	t.is(judge({...good, acknowledged: [{...first, acknowledgements: 3}, ...rest]}).duplicates, 2);
	t.is(judge({...good, acknowledged: [{...first, acknowledgedRequestAt: 2000}, ...rest]}).duplicates, 1);
});

test('the same seed tells the same stories', t => {
	const told = (seed: number) => Array.from({length: 50}, createStories(createRandom(seed)));
	t.deepEqual(told(7), told(7));
	t.notDeepEqual(told(7), told(8));
});

test('only a system whose faults are to fold into a storm has as many as make one', t => {
	const stories = Array.from({length: 400}, createStories(createRandom(1)));
	const systems = Map.groupBy(stories, ({fault}) => fault.serialNumber);
	for (const own of systems.values()) {
		if (own[0]?.fault.inStorm) continue;
		t.true(own.length < stormThreshold);
	}
	t.true([...systems.values()].some(own => own.length > stormThreshold));
	t.is(new Set(stories.flatMap(({records}) => records.map(({uid}) => uid))).size, stories.flatMap(({records}) => records).length);
});
