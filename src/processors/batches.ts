import {isBridgeError} from '../errors.ts';

type Waiting<Item, Result> = {
	readonly items: readonly Item[];
	readonly resolve: (results: readonly Result[]) => void;
	readonly reject: (error: unknown) => void;
};

/** Items of one batch, beyond the first request's own. */
const mostItems = 4096;
/** Requests that a batch waits for: a stream without end must not keep the first one waiting. */
const mostRequests = 64;

/**
One batch at a time, of all the requests that came while the last one was under way: they share its questions, its
transaction and its fsync, and each sees what the ones before it have changed. When a batch fails for a fault of one of its
requests, each is tried alone, so that one cannot fail another; a disk that is full is full for all of them.
*/
export function createBatches<Item, Result>(run: (items: readonly Item[]) => Promise<readonly Result[]>) {
	let waiting: Waiting<Item, Result>[] = [];
	let isRunning = false;

	/** The requests that fit, the first in any case. */
	function next(): readonly Waiting<Item, Result>[] {
		let items = 0;
		const fitting = waiting.findIndex((request, index) => {
			items += request.items.length;
			return index > 0 && items > mostItems;
		});
		const batch = fitting < 0 ? waiting : waiting.slice(0, fitting);
		waiting = waiting.slice(batch.length);
		return batch;
	}

	async function runBatch(batch: readonly Waiting<Item, Result>[]): Promise<void> {
		try {
			const results = await run(batch.flatMap(({items}) => items));
			let start = 0;
			for (const {items, resolve} of batch) {
				resolve(results.slice(start, start + items.length));
				start += items.length;
			}
		} catch (error) {
			if (batch.length > 1 && !isBridgeError(error)) for (const request of batch) await runBatch([request]);
			else for (const {reject} of batch) reject(error);
		}
	}

	/** Turns of the event loop for as long as each brings another request: those that have already arrived join this batch. */
	async function gather() {
		let known = 0;
		do {
			known = waiting.length;
			await new Promise(resolve => setImmediate(resolve));
		} while (waiting.length > known && waiting.length < mostRequests);
	}

	async function runAll() {
		isRunning = true;
		while (waiting.length > 0) {
			await gather();
			await runBatch(next());
		}
		isRunning = false;
	}

	return function join(items: readonly Item[]): Promise<readonly Result[]> {
		const {promise, resolve, reject} = Promise.withResolvers<readonly Result[]>();
		waiting.push({items, resolve, reject});
		if (!isRunning) void runAll();
		return promise;
	};
}
