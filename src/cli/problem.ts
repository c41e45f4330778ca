import {BridgeError} from '../errors.ts';
import {Severity} from '../event.ts';
import {type Problem, type ProblemState, problemStates, type System} from '../problem.ts';
import {moduleWordOf} from '../processors/module-word.ts';
import type {Records} from '../store/store.ts';
import {facts, type Output, printable, table, timeText} from './print.ts';

const severityText = (severity: number): string =>
	Object.entries(Severity)
		.toReversed()
		.find(([, least]) => severity >= least)?.[0] ?? 'unspecified';

const systemJson = (system: System | undefined) =>
	system && {name: system.name, machine_type: system.machineType, model: system.model, serial_number: system.serialNumber};

/** A problem in the public shape: snake_case, times in RFC 3339, null for what is not known. */
export const problemJson = (problem: Problem) => ({
	id: problem.id,
	state: problem.state,
	reason: problem.reason,
	management_module_state: moduleWordOf(problem),
	case_number: problem.caseNumber ?? null,
	title: problem.title,
	severity: problem.severity,
	severity_text: severityText(problem.severity),
	test: problem.test,
	count: problem.count,
	first_seen: timeText(problem.firstSeen),
	last_seen: timeText(problem.lastSeen),
	accepted_at: timeText(problem.acceptedAt) ?? null,
	recovered_at: timeText(problem.recoveredAt) ?? null,
	closed_at: timeText(problem.closedAt) ?? null,
	system: systemJson(problem.system) ?? null,
	component: problem.component,
	transaction_id: problem.transactionId,
	trace_id: problem.traceparent?.split('-')[1] ?? null,
});

const labelOf = ({machineType, model, serialNumber}: System): string => `${machineType}-${model}/${serialNumber}`;

export type ListOptions = {readonly state?: readonly string[]; readonly limit?: number};

export async function listProblems(read: Records, {state, limit = 100}: ListOptions): Promise<Output> {
	const states = state?.map(toState);
	const problems = await read.listProblems({...(states ? {states} : {}), limit});
	const rows = problems.map(problem => [
		problem.id,
		problem.state + (problem.state === 'held' ? ` (${problem.reason})` : ''),
		problem.caseNumber ?? '-',
		severityText(problem.severity),
		String(problem.count),
		timeText(problem.lastSeen) ?? '',
		problem.system ? `${printable(problem.system.name)} ${labelOf(problem.system)}` : 'unknown',
		printable(problem.title),
	]);
	const head = ['ID', 'STATE', 'CASE', 'SEVERITY', 'COUNT', 'LAST SEEN', 'SYSTEM', 'TITLE'];
	return {json: problems.map(problemJson), lines: rows.length > 0 ? table(head, rows) : ['No problems.']};
}

function toState(word: string): ProblemState {
	const state = problemStates.find(known => known === word);
	if (!state) throw new BridgeError('ERR_USAGE', `"${word}" is not a problem state: ${problemStates.join(', ')}`);
	return state;
}

/** By problem id or by case number. */
export async function findProblem(read: Records, id: string): Promise<Problem> {
	const problem = (await read.problemById(id)) ?? (await read.problemByCaseNumber(id));
	if (!problem) throw new BridgeError('ERR_NOT_FOUND', `there is no problem ${id}: "callhome problem list" shows them`);
	return problem;
}

export async function showProblem(read: Records, id: string): Promise<Output> {
	const problem = await findProblem(read, id);
	const [events, activities, attempts] = await Promise.all([
		read.eventsOf(problem.id),
		read.listActivities({problemId: problem.id}),
		read.attemptsOf(problem.id),
	]);
	const json = {
		...problemJson(problem),
		events: events.map(({event, decision}) => ({decision, ...eventJson(event)})),
		activity: activities.map(({at, level, word, text}) => ({at: timeText(at), level, word, text})),
		attempts: attempts.map(attemptJson),
	};
	return {json, lines: [...describe(problem), '', ...journeyLines(activities), '', ...attemptLines(attempts)]};
}

type Kept = Awaited<ReturnType<Records['eventsOf']>>[number]['event'];
const eventJson = (event: Kept) => ({
	id: event.id,
	name: event.name,
	occurred_at: timeText(event.occurredAt),
	received_at: timeText(event.receivedAt),
	severity: event.severity,
	message: event.message,
	source: event.source,
	resource: event.resource,
	attributes: event.attributes,
});

type KeptAttempt = Awaited<ReturnType<Records['attemptsOf']>>[number];
const attemptJson = (attempt: KeptAttempt) => ({
	type: attempt.type,
	started_at: timeText(attempt.started_at),
	duration_seconds: attempt.duration === null ? null : attempt.duration / 1000,
	connection: attempt.connection,
	destination: attempt.destination,
	status_code: attempt.status_code,
	error_type: attempt.error_type,
	error: attempt.error,
	request: attempt.request,
	reply: attempt.reply,
});

function describe(problem: Problem): string[] {
	const {system, component} = problem;
	return facts([
		['Problem', problem.id],
		['Title', printable(problem.title)],
		['State', problem.state],
		['Reason', problem.reason === '' ? undefined : printable(problem.reason)],
		['Call state', moduleWordOf(problem)],
		['Case number', problem.caseNumber ?? 'not known yet'],
		['Severity', severityText(problem.severity)],
		['Test', problem.test ? 'yes' : undefined],
		['Events', String(problem.count)],
		['First seen', timeText(problem.firstSeen)],
		['Last seen', timeText(problem.lastSeen)],
		['Recovered', timeText(problem.recoveredAt)],
		['System', system ? `${printable(system.name)} ${labelOf(system)}` : 'not known'],
		['Component', printable([component.type, component.name, component.id].filter(word => word !== '').join(' '))],
		['Transaction', problem.transactionId],
		['Trace', problem.traceparent?.split('-')[1]],
	]);
}

type KeptActivity = Awaited<ReturnType<Records['listActivities']>>[number];
const journeyLines = (activities: readonly KeptActivity[]): string[] =>
	table(
		['TIME', 'WHAT', 'TEXT'],
		activities.map(({at, word, text}) => [timeText(at) ?? '', word, printable(text)]),
	);

const attemptLines = (attempts: readonly KeptAttempt[]): string[] =>
	table(
		['SENT', 'TYPE', 'CONNECTION', 'DESTINATION', 'TOOK', 'ANSWER'],
		attempts.map(attempt => [
			timeText(attempt.started_at) ?? '',
			attempt.type,
			attempt.connection,
			attempt.destination,
			attempt.duration === null ? 'under way' : `${attempt.duration} ms`,
			attempt.status_code === null
				? `${attempt.error_type ?? ''} ${printable(attempt.error ?? '')}`.trim()
				: `HTTP ${attempt.status_code}`,
		]),
	);
