import {type HardwareEvent, isKept} from '../event.ts';
import {createIntake, type IntakeParts} from '../processors/intake.ts';
import {caseSubmission} from '../processors/submissions.ts';
import type {Store} from '../store/store.ts';
import type {Log} from './log.ts';

/** Orphans looked at in one go. */
const atOnce = 500;
/** Bounds the work when something keeps coming back. */
const mostRounds = 10_000;

/**
Mends what a damaged file has torn apart, at each start: events whose problem is lost are decided again, and problems that
nothing in the queue would send are queued again. Both under the ids that IBM may know already, and asked after first (G3).
*/
export async function repair(store: Store, parts: IntakeParts, log: Log): Promise<void> {
	const events = await decideAgain(store, parts);
	const problems = await queueAgain(store);
	if (events + problems > 0) log('warn', `after damage: ${events} event(s) decided again, ${problems} problem(s) queued again`);
}

async function decideAgain(store: Store, parts: IntakeParts): Promise<number> {
	let mended = 0;
	for (let round = 0; round < mostRounds; round++) {
		const orphans = await store.read.orphanedEvents(atOnce);
		const known = new Map(orphans.map(({problemId, transactionId}) => [problemId, transactionId]));
		const {mintTransactionId} = parts.policy;
		const policy: IntakeParts['policy'] = {
			...parts.policy,
			mintTransactionId: (system, at, problemId) => known.get(problemId) ?? mintTransactionId(system, at, problemId),
		};
		const decisions = await createIntake({...parts, policy})(orphans.map(({event}) => asOccurrence(event)));
		await askFirst(store, [...known.values()]);
		const kept = decisions.filter(isKept).length;
		mended += kept;
		if (kept === 0) break; // What is left tells nothing any more, such as a recovery of a problem that is lost.
	}
	return mended;
}

/** A level of long ago is no news, and still it happened: it is decided for what it said. */
function asOccurrence({measurement, ...event}: HardwareEvent): HardwareEvent {
	const isOver = measurement?.kind === 'state' && measurement.value <= 0;
	return isOver ? {...event, attributes: {...event.attributes, 'hw.state': 'ok'}} : event;
}

/** What may have been sent by the problem that is lost is asked after before it is sent. */
async function askFirst(store: Store, transactionIds: readonly (string | undefined)[]): Promise<void> {
	await store.write(async records => {
		for (const id of transactionIds) if (id !== undefined) await records.changeSubmission(id, {uncertain: true});
	});
}

async function queueAgain(store: Store): Promise<number> {
	let mended = 0;
	for (let round = 0; round < mostRounds; round++) {
		const orphans = await store.read.orphanedProblems(atOnce);
		for (const problem of orphans) {
			const [kept] = await store.read.eventsOf(problem.id, 1);
			const {system} = problem;
			await store.write(async records => {
				if (kept && system) await records.offer(caseSubmission({...problem, system}, kept.event, Date.now(), true));
				else await records.saveProblem({...problem, state: 'held', reason: 'unanswered'}); // Nothing is left to say but its title.
			});
			mended++;
		}
		if (orphans.length < atOnce) break;
	}
	return mended;
}
