import {type LedgerEvidence, ledgerFaults} from './ledger.ts';
import {componentIn, type Fault, type LoadRecord} from './stories.ts';

/** A record of the load that was answered with 200. */
export type Acknowledged = {
	readonly record: LoadRecord;
	readonly acknowledgements: number;
	/** When the first request began that was answered so; Unix milliseconds. */
	readonly acknowledgedRequestAt: number;
};
export type KeptEvent = {readonly uid: string; readonly problemId: string; readonly receivedAt: number};
export type KeptProblem = {
	readonly id: string;
	readonly state: string;
	readonly reason: string;
	readonly count: number;
	readonly transactionId: string;
	readonly caseNumber: string | undefined;
};
export type OpenedCase = {
	readonly caseNumber: string;
	readonly eventId: string;
	readonly assetId: string;
	readonly code: string;
};

/** All that is left after a campaign: what the clients were told, what the bridge kept, what the sandbox got. */
export type Evidence = {
	readonly acknowledged: readonly Acknowledged[];
	readonly events: readonly KeptEvent[];
	readonly problems: readonly KeptProblem[];
	/** What still waits to be sent, without heartbeats. */
	readonly waiting: readonly string[];
	readonly cases: readonly OpenedCase[];
	/** The highest sequence number of an event: how many were ever kept, as the bridge counts them. */
	readonly countedEvents: number;
	/** From /metrics before the last stop; undefined when the page could not be read. */
	readonly metrics: {readonly accepted: number; readonly standing: number} | undefined;
	/** What `PRAGMA integrity_check` says. */
	readonly integrity: string;
	readonly ledger: LedgerEvidence;
	/** Stores that were moved aside. */
	readonly setAside: readonly string[];
	/** Files in which a key was found. */
	readonly leaks: readonly string[];
	/** What went wrong before the end: a bridge that ended by itself, a wait that took too long. */
	readonly mishaps: readonly string[];
};

export type Verdict = {
	readonly violations: readonly string[];
	readonly lost: number;
	readonly doubleCases: number;
	/** Acknowledged although an earlier delivery of the record had been kept. */
	readonly duplicates: number;
	readonly faults: number;
};

/** What the evidence shows. Pure, so that it can be shown evidence that is known to be bad. */
export function judge(evidence: Evidence): Verdict {
	const lost = lostEvents(evidence);
	const doubled = doubleCases(evidence);
	return {
		violations: [
			...evidence.mishaps,
			...(evidence.acknowledged.length === 0 ? ['no event was acknowledged: nothing is shown'] : []),
			...lost,
			...doubled,
			...missingCases(evidence),
			...strayCases(evidence),
			...wrongStates(evidence),
			...unsent(evidence),
			...wrongSums(evidence),
			...damage(evidence),
			...ledgerFaults(evidence.ledger),
		],
		lost: lost.length,
		doubleCases: doubled.length,
		duplicates: duplicatesOf(evidence),
		faults: faultsOf(evidence).length,
	};
}

const faultsOf = ({acknowledged}: Evidence): Fault[] => [...new Set(acknowledged.map(({record}) => record.fault))];

function lostEvents({acknowledged, events}: Evidence): string[] {
	const times = new Map<string, number>();
	for (const {uid} of events) times.set(uid, (times.get(uid) ?? 0) + 1);
	const faulty = acknowledged.filter(({record}) => times.get(record.uid) !== 1);
	return faulty.map(({record}) => `acknowledged event ${record.uid} is ${times.get(record.uid) ?? 0} times in the store`);
}

/** By the sandbox's books alone: one message twice, or one component under two messages. */
function doubleCases({cases}: Evidence): string[] {
	const own = cases.filter(({code}) => componentIn(code) !== undefined); // A storm may come again, as another one.
	const groups = [
		...Map.groupBy(cases, ({eventId}) => `transaction ${eventId}`),
		...Map.groupBy(own, ({assetId, code}) => `${componentIn(code)} of ${assetId}`),
	];
	const numbersOf = (group: readonly OpenedCase[]) => group.map(({caseNumber}) => caseNumber).join(', ');
	const doubled = groups.filter(([, group]) => group.length > 1).map(([what, group]) => [numbersOf(group), what] as const);
	// Both ways of looking may find the same cases.
	return [...new Map(doubled)].map(([numbers, what]) => `two cases for ${what}: ${numbers}`);
}

/** The cases that tell of a fault: its own, and those of the problems that its events belong to. */
function casesOfFaults({acknowledged, events, problems, cases}: Evidence): Map<Fault, Set<string>> {
	const problemOf = new Map(events.map(({uid, problemId}) => [uid, problemId]));
	const transactionOf = new Map(problems.map(({id, transactionId}) => [id, transactionId]));
	const byTransaction = Map.groupBy(cases, ({eventId}) => eventId);
	const byComponent = Map.groupBy(cases, ({assetId, code}) => `${assetId} ${componentIn(code)}`);
	const found = new Map<Fault, Set<string>>();
	for (const {record} of acknowledged) {
		const {fault, uid} = record;
		const transaction = transactionOf.get(problemOf.get(uid) ?? '') ?? '';
		const own = byComponent.get(`${fault.serialNumber} ${fault.component}`) ?? [];
		const numbers = found.get(fault) ?? new Set();
		for (const {caseNumber} of [...own, ...(byTransaction.get(transaction) ?? [])]) numbers.add(caseNumber);
		found.set(fault, numbers);
	}
	return found;
}

function missingCases(evidence: Evidence): string[] {
	const {problems, cases} = evidence;
	const known = new Set(cases.map(({caseNumber, eventId}) => `${eventId} ${caseNumber}`));
	const faults = [...casesOfFaults(evidence)].filter(([, numbers]) => numbers.size !== 1);
	const nameless = problems.filter(({transactionId, caseNumber}) => !known.has(`${transactionId} ${caseNumber}`));
	return [
		...faults.map(([{serialNumber, component}, {size}]) => `${component} of ${serialNumber} has ${size} cases`),
		...nameless.map(({id, state, caseNumber}) => `problem ${id} (${state}) has ${caseNumber}, not its case of the sandbox`),
	];
}

/** Cases of which the bridge knows nothing. */
function strayCases({cases, problems}: Evidence): string[] {
	const known = new Set(problems.map(({transactionId}) => transactionId));
	return cases
		.filter(({eventId}) => !known.has(eventId))
		.map(({caseNumber, eventId}) => `case ${caseNumber} belongs to no problem: ${eventId}`);
}

/** A fault whose last word is that it is over is closed; any other is open. */
function wrongStates({acknowledged, events, problems}: Evidence): string[] {
	const stateOf = new Map(problems.map(({id, state}) => [id, state]));
	const problemOf = new Map(events.map(({uid, problemId}) => [uid, problemId]));
	const last = new Map(
		acknowledged.toSorted((one, other) => (one.record.uid < other.record.uid ? -1 : 1)).map(({record}) => [record.fault, record]),
	);
	return [...last].flatMap(([{component}, {uid, state}]) => {
		const expected = state === 'ok' ? 'closed' : 'open';
		const actual = stateOf.get(problemOf.get(uid) ?? '') ?? 'nowhere';
		return actual === expected ? [] : [`${component} was last ${state}, its problem is ${actual} and not ${expected}`];
	});
}

function unsent({waiting, problems}: Evidence): string[] {
	const stuck = problems.filter(({state}) => state !== 'open' && state !== 'closed');
	return [
		...stuck.map(({id, state, reason}) => `problem ${id} is still ${state}${reason ? ` (${reason})` : ''}`),
		...waiting.map(what => `still waits to be sent: ${what}`),
	];
}

/** Each kept event stands in exactly one problem, and every count says so. */
function wrongSums({events, problems, countedEvents, metrics}: Evidence): string[] {
	const kept = events.length;
	const sums = {
		"the problems' counts": problems.reduce((sum, {count}) => sum + count, 0),
		'the count of kept events': countedEvents,
		callhome_events_accepted_total: metrics?.accepted,
		callhome_events_standing: metrics?.standing,
	};
	return Object.entries(sums)
		.filter(([, sum]) => sum !== kept)
		.map(([what, sum]) => `${kept} events are kept, but ${what} say ${sum ?? 'nothing'}`);
}

function damage({integrity, setAside, leaks}: Evidence): string[] {
	return [
		...(integrity === 'ok' ? [] : [`the store is damaged: ${integrity}`]),
		...setAside.map(file => `a store was set aside: ${file}`),
		...leaks.map(file => `a key stands in ${file}`),
	];
}

function duplicatesOf({acknowledged, events}: Evidence): number {
	const receivedAt = new Map(events.map(event => [event.uid, event.receivedAt]));
	return acknowledged.reduce((sum, {record, acknowledgements, acknowledgedRequestAt}) => {
		const keptBefore = (receivedAt.get(record.uid) ?? Number.POSITIVE_INFINITY) < acknowledgedRequestAt;
		return sum + acknowledgements - (keptBefore ? 0 : 1);
	}, 0);
}
