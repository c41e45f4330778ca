import type {Activity} from '../activity.ts';
import {isBridgeError} from '../errors.ts';
import type {Outcome} from '../outcome.ts';
import {type Problem, systemLabel} from '../problem.ts';
import type {Submission, SubmissionType} from '../submission.ts';
import {type Light, noteLights} from './lights.ts';
import {type Settlement, type SettlePolicy, settlementOf} from './settle.ts';

/** What settling reads and writes, all within one transaction. */
export type SettleRecords = {
	problemById(id: string): Promise<Problem | undefined>;
	problemByTransaction(transactionId: string): Promise<Problem | undefined>;
	saveProblem(problem: Problem): Promise<void>;
	offer(submission: Submission): Promise<void>;
	changeSubmission(id: string, change: {attempts: number; rounds: number; uncertain: boolean; notBefore: number}): Promise<void>;
	removeSubmission(id: string): Promise<void>;
	removeSubmissionsOf(problemId: string, types: readonly SubmissionType[]): Promise<void>;
	heldProblems(reasons: readonly string[], limit: number): Promise<readonly Problem[]>;
	readSetting(name: string): Promise<string | undefined>;
	writeSetting(name: string, value: string): Promise<void>;
	addActivities(notes: readonly Activity[]): Promise<void>;
};

/** The prefix of the settings that hold when the heartbeat of each system was last acknowledged; its label comes after. */
export const systemHeartbeats = 'last_success.heartbeat/';

/** The same for its inventory. */
export const systemInventories = 'last_success.inventory/';

/** Names of the settings that hold when each of these last succeeded at any destination, in Unix milliseconds. */
export const lastSuccess = {
	heartbeat: 'last_success.heartbeat',
	reached: 'last_success.reached',
	accepted: 'last_success.accepted',
	caseOpened: 'last_success.case_opened',
} as const;

export type Settled = {
	readonly submission: Submission;
	readonly outcome: Outcome;
	/** The server that answered, HOST:PORT. */
	readonly destination: string | undefined;
	readonly settlement: Settlement;
	/** The problems as they were before, by id. */
	readonly before: ReadonlyMap<string, Problem>;
	readonly at: number;
};

export type SettlingParts = {
	readonly write: <Result>(change: (records: SettleRecords) => Promise<Result>) => Promise<Result>;
	readonly policy: SettlePolicy;
	readonly onSettled: (settled: Settled) => void;
	/** Which server an outcome is from, HOST:PORT: its lights come on. */
	readonly answeredBy?: (outcome: Outcome) => string | undefined;
	readonly now?: () => number;
	readonly random?: () => number;
};

/** Writes what an attempt's outcome means, in one transaction. */
export function createSettle(parts: SettlingParts) {
	const {write, policy, onSettled, answeredBy = () => undefined, now = Date.now, random = Math.random} = parts;
	return async function settle(submission: Submission, outcome: Outcome): Promise<void> {
		const settled = await write(async records => {
			const at = now();
			const problems = await concernedProblems(submission, outcome, records);
			const settlement = settlementOf({submission, outcome, problems, now: at, random}, policy);
			await writeSettlement(submission, settlement, records);
			const before = new Map([...problems.values()].map(problem => [problem.id, problem]));
			if (outcome.status === 'acknowledged') await endOutage(records, at);
			const destination = answeredBy(outcome);
			const seen = successesOf(submission, outcome, settlement, before);
			for (const name of seen) await records.writeSetting(lastSuccess[name], String(at));
			if (seen.includes('heartbeat')) await records.writeSetting(systemHeartbeats + labelOf(submission), String(at));
			if (submission.type === 'inventory' && outcome.status === 'acknowledged')
				await records.writeSetting(systemInventories + labelOf(submission), String(at));
			if (destination !== undefined) await noteLights(records, destination, lightsOf(seen), at);
			return {submission, outcome, destination, settlement, before, at};
		});
		onSettled(settled);
	};
}

const labelOf = ({content: {system}}: Submission) => systemLabel(system);

/** The submission's own problem and those that the answers are about, by transaction id. */
async function concernedProblems(
	submission: Submission,
	outcome: Outcome,
	records: SettleRecords,
): Promise<Map<string, Problem>> {
	const answers = outcome.status === 'acknowledged' ? outcome.answers : [];
	const own = submission.problemId === undefined ? undefined : await records.problemById(submission.problemId);
	const problems = new Map(own ? [[own.transactionId, own]] : []);
	for (const {transactionId} of answers) {
		const problem = problems.get(transactionId) ?? (await records.problemByTransaction(transactionId));
		if (problem) problems.set(transactionId, problem);
	}
	return problems;
}

/** When nothing was accepted for this long, what could not be delivered is not to blame. */
const outageMillis = 86_400_000;

/** IBM accepts again after an outage: what was parked meanwhile may go out. What it leaves unanswered while it accepts others stays. */
async function endOutage(records: SettleRecords, at: number): Promise<void> {
	const before = await records.readSetting(lastSuccess.accepted);
	if (before !== undefined && at - Number(before) < outageMillis) return;
	for (const problem of await records.heldProblems(['unanswered'], 10_000)) {
		await records.saveProblem({...problem, releaseAt: at});
	}
}

type Success = keyof typeof lastSuccess;

const lightOf: Partial<Record<Success, Light>> = {reached: 'reached', accepted: 'accepted', caseOpened: 'case_opened'};
const lightsOf = (seen: readonly Success[]) => seen.map(name => lightOf[name]).filter(light => light !== undefined);

/** What has been seen to work: a refusal shows that the backend is reached, and no more. */
function successesOf(
	submission: Submission,
	outcome: Outcome,
	{problems}: Settlement,
	before: ReadonlyMap<string, Problem>,
): Success[] {
	const neverLeft = outcome.status === 'rejected' && isBridgeError(outcome.error, 'ERR_MALFORMED');
	if (neverLeft || outcome.status === 'deferred' || outcome.status === 'unreachable') return [];
	const accepted = outcome.status === 'acknowledged';
	const opened = problems.some(({id, caseNumber}) => caseNumber !== undefined && before.get(id)?.caseNumber === undefined);
	return [
		'reached',
		...(accepted ? (['accepted'] as const) : []),
		...(accepted && submission.type === 'heartbeat' ? (['heartbeat'] as const) : []),
		...(opened ? (['caseOpened'] as const) : []),
	];
}

/** Of a problem that IBM refused, neither news nor questions are wanted; of another, only the newest status. */
async function writeSettlement(
	submission: Submission,
	{submission: row, problems, offers, notes}: Settlement,
	records: SettleRecords,
) {
	if (row.action === 'remove') await records.removeSubmission(submission.id);
	else await records.changeSubmission(submission.id, row);
	for (const problem of problems) {
		await records.saveProblem(problem);
		if (problem.state === 'rejected') await records.removeSubmissionsOf(problem.id, ['status', 'case_query']);
	}
	for (const offer of offers) {
		if (offer.type === 'status' && offer.problemId) await records.removeSubmissionsOf(offer.problemId, ['status']);
		await records.offer(offer);
	}
	await records.addActivities(notes);
}
