import type {ExecutionContext} from 'ava';
import type {SetAside} from '../../src/store/open.ts';
import {openStore, type Records, type Store} from '../../src/store/store.ts';
import {temporaryDirectory} from './listen.ts';
import {eventOf, problemOf, seenAt} from './records.ts';
import {submissionOf} from './submissions.ts';

export type OpenedStore = {
	readonly store: Store;
	readonly directory: string;
	readonly failures: Error[];
	readonly setAside: SetAside[];
};

/** A store of its own; closed, and gone, when the test ends. */
export async function openedStore(
	t: ExecutionContext,
	{directory, maxSize}: {directory?: string; maxSize?: number} = {},
): Promise<OpenedStore> {
	const place = directory ?? (await temporaryDirectory(t));
	const failures: Error[] = [];
	const setAside: SetAside[] = [];
	const store = await openStore({
		directory: place,
		maxSize,
		onFailure: error => failures.push(error),
		onSetAside: aside => setAside.push(aside),
	});
	t.teardown(() => store.close());
	return {store, directory: place, failures, setAside};
}

/** One problem with its events, its keys and what is to be sent, as one decision writes them. */
export async function keepProblem(records: Records, name: string, events: number, detail = ''): Promise<void> {
	const problem = problemOf({
		id: name,
		key: `key of ${name}`,
		count: events,
		lastSeen: seenAt + events,
		transactionId: `transaction of ${name}`,
	});
	const kept = Array.from({length: events}, (_, index) => ({
		event: eventOf({id: `${name}-${index}`, message: `event ${index} of ${name} ${detail}`}),
		problemId: name,
		decision: index === 0 ? ('first' as const) : ('duplicate' as const),
	}));
	await records.saveProblem(problem);
	await records.assignKeys([problem.key], problem.id);
	await records.insertEvents(kept);
	await records.offer(
		submissionOf('hardware_alert', {
			id: problem.transactionId,
			transactionId: problem.transactionId,
			problemId: name,
			notBefore: seenAt,
			queuedAt: seenAt,
		}),
	);
	await records.addActivities([{at: seenAt, level: 'info', word: 'first', problemId: name, text: `${name} is new ${detail}`}]);
}

/** Fills a store with problems, and attempts whose requests need several pages. Returns the names of the problems. */
export async function fill(store: Store, problems: number, eventsEach = 3): Promise<string[]> {
	const names = Array.from({length: problems}, (_, index) => `p${index}`);
	for (const name of names) {
		await store.write(async records => {
			await keepProblem(records, name, eventsEach, 'x'.repeat(300));
			const sequence = await records.beginAttempt({
				submissionId: `transaction of ${name}`,
				problemId: name,
				type: 'hardware_alert',
				startedAt: seenAt,
				connection: 'direct',
				destination: 'ibm.example:443',
				request: `${name} ${'y'.repeat(names.indexOf(name) % 4 === 0 ? 9000 : 500)}`,
			});
			await records.endAttempt(sequence, {duration: 12, statusCode: 503, reply: 'later'});
			await records.writeLevels(new Map([[`level of ${name}`, 1]]));
		});
	}
	return names;
}

/** As many events as all problems together stand for: what must agree with each other at all times. */
export async function countsOf(read: Records) {
	const problems = await read.listProblems({limit: 1_000_000});
	const tally = await read.tallyProblems();
	return {
		problems: problems.length,
		kept: await read.countEvents(),
		tallied: tally.reduce((sum, {events}) => sum + events, 0),
		counted: problems.reduce((sum, {count}) => sum + count, 0),
	};
}
