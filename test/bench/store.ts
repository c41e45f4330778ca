import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {openStore, type Store} from '../../src/store/store.ts';
import {eventOf, problemOf} from '../helpers/records.ts';

const rounds = 5;

const median = (numbers: readonly number[]): number => numbers.toSorted((one, other) => one - other)[numbers.length >> 1] ?? 0;

const measure = async (count: number, run: (round: number) => Promise<unknown>): Promise<number> => {
	const rates: number[] = [];
	for (let round = 0; round < rounds; round++) {
		const start = performance.now();
		await run(round);
		rates.push((count * 1000) / (performance.now() - start));
	}
	return Math.round(median(rates));
};

/** One event in one change, as a producer that exports each record by itself causes it. */
const writeOne = (store: Store, id: string) =>
	store.write(async records => {
		const event = eventOf({id});
		const problem = problemOf({id: `p-${id}`, transactionId: `t-${id}`});
		await records.keptIds([event.id]);
		await records.problemsByKeys([problem.key]);
		await records.saveProblem(problem);
		await records.insertEvents([{event, problemId: problem.id, decision: 'first'}]);
	});

async function writersAtOnce(store: Store, writers: number, each: number, round: number) {
	const write = async (writer: number) => {
		for (let turn = 0; turn < each; turn++) await writeOne(store, `s-${round}-${writer}-${turn}`);
	};
	await Promise.all(Array.from({length: writers}, (_, writer) => write(writer)));
}

/** A batch that joins 16 problems, as an export of a Collector causes it. */
async function writeBatch(store: Store, size: number, name: string) {
	const events = Array.from({length: size}, (_, index) => eventOf({id: `b-${name}-${index}`}));
	await store.write(async records => {
		await records.keptIds(events.map(({id}) => id));
		for (let index = 0; index < 16; index++) {
			await records.saveProblem(problemOf({id: `bp-${name}-${index}`, transactionId: `bt-${name}-${index}`, count: size / 16}));
		}
		await records.insertEvents(
			events.map((event, index) => ({event, problemId: `bp-${name}-${index % 16}`, decision: 'duplicate'})),
		);
	});
}

const directory = await mkdtemp(join(tmpdir(), 'callhome-bench-'));
const store = await openStore({directory, onFailure: () => {}, onSetAside: () => {}});
try {
	const single = await measure(64 * 50, round => writersAtOnce(store, 64, 50, round));
	const batches = 20;
	const inBatches = await measure(512 * batches, async round => {
		for (let batch = 0; batch < batches; batch++) await writeBatch(store, 512, `${round}-${batch}`);
	});
	process.stdout.write(`store: single events, 64 writers: ${single} events/s (median of ${rounds})\n`);
	process.stdout.write(`store: batches of 512:           ${inBatches} events/s (median of ${rounds})\n`);
} finally {
	await store.close();
	await rm(directory, {recursive: true});
}
