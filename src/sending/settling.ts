import type {Outcome} from '../outcome.ts';
import type {Problem} from '../problem.ts';
import type {Submission} from '../submission.ts';
import {type Note, type Settlement, type SettlePolicy, settlementOf} from './settle.ts';

/** What settling reads and writes, all within one transaction. */
export type SettleRecords = {
	problemById(id: string): Promise<Problem | undefined>;
	problemByTransaction(transactionId: string): Promise<Problem | undefined>;
	saveProblem(problem: Problem): Promise<void>;
	offer(submission: Submission): Promise<void>;
	changeSubmission(id: string, change: {attempts: number; rounds: number; uncertain: boolean; notBefore: number}): Promise<void>;
	removeSubmission(id: string): Promise<void>;
	writeSetting(name: string, value: string): Promise<void>;
	addActivities(notes: readonly Note[]): Promise<void>;
};

/** Names of the settings that hold when each of these last succeeded, in Unix milliseconds. Never one green light. */
export const lastSuccess = {
	heartbeat: 'last_success.heartbeat',
	reached: 'last_success.reached',
	accepted: 'last_success.accepted',
	caseOpened: 'last_success.case_opened',
} as const;

export type Settled = {
	readonly submission: Submission;
	readonly outcome: Outcome;
	readonly settlement: Settlement;
	/** The problems as they were before, by id. */
	readonly before: ReadonlyMap<string, Problem>;
	readonly at: number;
};

export type SettlingParts = {
	readonly write: <Result>(change: (records: SettleRecords) => Promise<Result>) => Promise<Result>;
	readonly policy: SettlePolicy;
	readonly onSettled: (settled: Settled) => void;
	readonly now?: () => number;
	readonly random?: () => number;
};

/** Writes what an attempt's outcome means, in one transaction. */
export function createSettle({write, policy, onSettled, now = Date.now, random = Math.random}: SettlingParts) {
	return async function settle(submission: Submission, outcome: Outcome): Promise<void> {
		const settled = await write(async records => {
			const at = now();
			const problems = await concernedProblems(submission, outcome, records);
			const settlement = settlementOf({submission, outcome, problems, now: at, random}, policy);
			await writeSettlement(submission, settlement, records);
			const before = new Map([...problems.values()].map(problem => [problem.id, problem]));
			for (const name of successesOf(submission, settlement, before)) await records.writeSetting(name, String(at));
			return {submission, outcome, settlement, before, at};
		});
		onSettled(settled);
	};
}

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

/** What has been seen to work: a refusal shows that the backend is reached, and no more. */
function successesOf(submission: Submission, {final, problems}: Settlement, before: ReadonlyMap<string, Problem>): string[] {
	if (!final) return [];
	const accepted = final === 'acknowledged';
	const opened = problems.some(({id, caseNumber}) => caseNumber !== undefined && before.get(id)?.caseNumber === undefined);
	return [
		lastSuccess.reached,
		...(accepted ? [lastSuccess.accepted] : []),
		...(accepted && submission.type === 'heartbeat' ? [lastSuccess.heartbeat] : []),
		...(opened ? [lastSuccess.caseOpened] : []),
	];
}

async function writeSettlement(
	submission: Submission,
	{submission: row, problems, offers, notes}: Settlement,
	records: SettleRecords,
) {
	if (row.action === 'remove') await records.removeSubmission(submission.id);
	else await records.changeSubmission(submission.id, row);
	for (const problem of problems) await records.saveProblem(problem);
	for (const offer of offers) await records.offer(offer);
	await records.addActivities(notes);
}
