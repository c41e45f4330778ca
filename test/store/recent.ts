import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import test, {type ExecutionContext} from 'ava';
import {disagreements} from '../../src/store/recent.ts';
import type {Store} from '../../src/store/store.ts';
import {eventOf, problemOf, seenAt} from '../helpers/records.ts';
import {countsOf, fill, openedStore} from '../helpers/stores.ts';

const problems = ['p0', 'p1', 'p2'];
const idOf = (number: number) => `e${number}`;
const problemIdOf = (number: number) => problems[number % problems.length] ?? '';

/** Events from one number to another, of three problems in turn, each with a line of the activity log. */
async function keep(store: Store, from: number, to: number): Promise<void> {
	const numbers = Array.from({length: to - from}, (_, index) => from + index);
	await store.write(async records => {
		await records.saveProblems(
			problems.map(id => problemOf({id, key: `key of ${id}`, transactionId: `transaction of ${id}`, count: Math.ceil(to / 3)})),
		);
		await records.insertEvents(
			numbers.map(number => ({event: eventOf({id: idOf(number)}), problemId: problemIdOf(number), decision: 'duplicate'})),
		);
		await records.addActivities(
			numbers.map(number => ({
				at: seenAt + number,
				level: 'info',
				word: 'duplicate',
				problemId: problemIdOf(number),
				text: idOf(number),
			})),
		);
	});
}

const numberOf = (directory: string, query: string): number => {
	using database = new DatabaseSync(join(directory, 'callhome.db'), {readOnly: true});
	return Number(Object.values(database.prepare(query).get() ?? {})[0]);
};

/** Whether every event and activity is found by what it is found by, and nothing else is. */
function assertAgrees(t: ExecutionContext, directory: string): void {
	using database = new DatabaseSync(join(directory, 'callhome.db'), {readOnly: true});
	for (const query of disagreements) t.is(database.prepare(query).get(), undefined, query);
}

test('events are found by id and by problem, old ones and recent ones, and go when they are pruned', async t => {
	const {store, directory} = await openedStore(t);
	await keep(store, 0, 17_000); // So many that they have moved to the large indexes.
	await keep(store, 17_000, 17_009);
	t.is(numberOf(directory, 'SELECT count(*) FROM event_by_id'), 17_000);
	t.is(numberOf(directory, 'SELECT count(*) FROM recent_event'), 9);
	t.is(numberOf(directory, "SELECT value FROM total WHERE name = 'recent_events'"), 9);
	assertAgrees(t, directory);

	const asked = [0, 8, 16_999, 17_000, 17_008, 17_009].map(idOf);
	t.deepEqual([...(await store.read.keptIds(asked))], asked.slice(0, -1));
	await keep(store, 16_990, 17_010);
	t.is((await store.read.countEvents()) - 17_010, 0, 'the same events again are no second ones');

	const ofOne = (await store.read.eventsOf('p1', 10_000)).map(({event}) => event.id);
	t.is(ofOne.length, 5670);
	t.deepEqual([ofOne[0], ofOne.at(-1)], [idOf(1), idOf(17_008)]);
	t.deepEqual(
		(await store.read.eventsOf('p1', 2)).map(({event}) => event.id),
		[idOf(1), idOf(4)],
		'the oldest so many',
	);
	const lines = await store.read.listActivities({problemId: 'p1', limit: 3});
	t.deepEqual(
		lines.map(({text}) => text),
		[idOf(17_002), idOf(17_005), idOf(17_008)],
		'the newest so many',
	);

	await store.write(records => records.reassignEvents('p1', 'p2'));
	t.deepEqual(await store.read.eventsOf('p1', 10_000), []);
	t.is((await store.read.eventsOf('p2', 20_000)).length, 11_340);
	assertAgrees(t, directory);

	await store.write(records =>
		records.saveProblem(
			problemOf({id: 'p2', key: 'key of p2', transactionId: 'transaction of p2', count: 5670, state: 'closed', closedAt: seenAt}),
		),
	);
	const limits = {closedBefore: seenAt + 1, relapsedBefore: seenAt + 1, limit: 5000};
	while ((await store.write(records => records.prune(limits))) > 0) assertAgrees(t, directory);
	t.deepEqual(await store.read.eventsOf('p2'), []);
	t.is((await store.read.eventsOf('p0', 10_000)).length, 5670);
	t.deepEqual([...(await store.read.keptIds([idOf(0), idOf(1), idOf(2), idOf(17_008)]))], [idOf(0)]);
	t.is(
		numberOf(directory, "SELECT value FROM total WHERE name = 'recent_events'"),
		numberOf(directory, 'SELECT count(*) FROM recent_event'),
	);
});

for (const [name, damage] of [
	['has lost an event', "DELETE FROM recent_event WHERE id = 'p1-1'"],
	['has an event that is none', "INSERT INTO event_by_id VALUES ('nobody', 77)"],
	['has an event under another problem', "UPDATE recent_event SET problem_id = 'p0' WHERE id = 'p1-1'"],
	['has lost a line of the activity log', "DELETE FROM recent_activity WHERE problem_id = 'p1'"],
] as const) {
	test(`an index that ${name} is found at the next start, and made anew`, async t => {
		const {store, directory} = await openedStore(t);
		await fill(store, 4);
		await store.close();
		const database = new DatabaseSync(join(directory, 'callhome.db'));
		database.exec(damage);
		database.close();
		const again = await openedStore(t, {directory});
		t.regex(again.setAside[0]?.cause ?? '', /an index does not agree/);
		t.deepEqual([...(await again.store.read.keptIds(['p1-0', 'p1-1', 'nobody']))], ['p1-0', 'p1-1']);
		t.is((await again.store.read.listActivities({problemId: 'p1'})).length, 1);
		t.deepEqual(await countsOf(again.store.read), {problems: 4, kept: 12, tallied: 12, counted: 12});
		assertAgrees(t, directory);
	});
}
