import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Config} from '../config.ts';
import type {Decision, HardwareEvent} from '../event.ts';
import type {Problem, ProblemState} from '../problem.ts';
import {createClassify} from '../processors/classify.ts';
import {createExclusion} from '../processors/exclusion.ts';
import {createIdentify} from '../processors/identify.ts';
import {createIntake} from '../processors/intake.ts';
import {releaseDue} from '../processors/release.ts';
import {openStore, type Store} from '../store/store.ts';
import {knownSystems} from './callhome.ts';
import {policyOf} from './policy.ts';

/** The bridge's own rules over recorded events, with a store of its own that is gone afterwards. Nothing is sent. */
export type Rehearsal = {
	/** Decides events as if they came in now, at the time that they tell. In their order: the clock does not go back. */
	take(events: readonly HardwareEvent[]): Promise<readonly Decision[]>;
	/** What it came to, the newest first. */
	problems(limit: number): Promise<readonly Problem[]>;
	/** Each decision with its words, the oldest first. */
	journal(limit: number): Promise<readonly {readonly at: number; readonly word: string; readonly text: string}[]>;
	close(): Promise<void>;
};

/** As if the bridge were activated and IBM answered at once: what the rules say is to be seen, and not what the network does. */
export async function openRehearsal(config: Config): Promise<Rehearsal> {
	const directory = mkdtempSync(join(tmpdir(), 'callhome-replay-'));
	const store = await openStore({directory, onFailure: () => {}, onSetAside: () => {}});
	const policy = policyOf(
		{...config, consent: {...config.consent, cases: true}},
		{hasCredentials: true, mintTransactionId: (_system, _at, problemId) => `replay-${problemId}`},
	);
	let clock = 0;
	const consume = createIntake({
		identify: createIdentify(knownSystems(config)),
		classify: createClassify(config.processors.serviceability, createExclusion(config.processors.exclude)),
		policy,
		write: store.write,
		levels: new Map(),
		beginTrace: () => undefined,
		onDecided: () => {},
		now: () => clock,
	});

	return {
		async take(events) {
			const decisions: Decision[] = [];
			for (const event of events) {
				clock = Math.max(clock, event.occurredAt);
				await store.write(records => releaseDue(records, policy, clock));
				const [decision = 'unchanged'] = await consume([receivedAtOnce(event, clock)]);
				decisions.push(decision);
				await answer(store, decision === 'recovered' ? ['queued', 'open'] : ['queued'], clock);
			}
			return decisions;
		},
		async problems(limit) {
			clock = Math.max(clock, ...(await store.read.heldProblems(['storm'], limit)).map(({releaseAt}) => releaseAt ?? 0));
			await store.write(records => releaseDue(records, policy, clock));
			await answer(store, ['queued', 'open'], clock);
			return store.read.listProblems({limit});
		},
		journal: limit => store.read.listActivities({limit}),
		async close() {
			await store.close();
			rmSync(directory, {recursive: true, force: true});
		},
	};
}

/** As it would have come in, at its time. What has a time of its own was received after it: the rules tell the two apart. */
const receivedAtOnce = (event: HardwareEvent, clock: number): HardwareEvent => ({
	...event,
	receivedAt: event.occurredAt === event.receivedAt ? clock : clock + 1,
});

/** What IBM would do to what it is sent: it opens a case for it, and closes that when it is told that all is well. */
async function answer(store: Store, states: readonly ProblemState[], now: number): Promise<void> {
	const sent = await store.read.listProblems({states, limit: 10_000});
	const changed = sent.flatMap((problem): Problem[] => {
		if (problem.recoveredAt !== undefined)
			return [{...problem, state: 'closed', reason: 'recovered', acceptedAt: problem.acceptedAt ?? now, closedAt: now}];
		return problem.state === 'open' ? [] : [{...problem, state: 'open', acceptedAt: now}];
	});
	if (changed.length > 0) await store.write(records => records.saveProblems(changed));
}
