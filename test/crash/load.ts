import {setTimeout as pause} from 'node:timers/promises';
import {Pool} from 'undici';
import {type OtlpRequest, requestOf} from './otlp.ts';
import type {Random} from './random.ts';
import {createStories, type LoadRecord, type NextStory, type Story} from './stories.ts';

/** What is known of a record from outside of the bridge. */
export type Sent = {
	readonly record: LoadRecord;
	/** How many requests with it were answered with 200. */
	acknowledgements: number;
	/** When the first request began that was answered so; Unix milliseconds. */
	acknowledgedRequestAt: number;
};

const clients = 6;
const answerMillis = 20_000;

export type LoadParts = {
	readonly url: URL;
	readonly random: Random;
	/** How many faults there may be by now: the bridge lives for moments only, and has to get through with them. */
	readonly allowance: () => number;
};

/** Several clients that send as Collectors do: until the answer is 200, and then sometimes once more. */
export function startLoad({url, random, allowance}: LoadParts) {
	const pool = new Pool(url.origin, {connections: clients, headersTimeout: answerMillis, bodyTimeout: answerMillis});
	const sent = new Map<string, Sent>();
	const tally = {acknowledged: 0, refused: 0, unanswered: 0, unreached: 0, faults: 0, rejectedRecords: 0};
	const witnesses = new Set<() => void>();
	const nextStory = createStories(random.fork());
	let finishing = false;
	let aborted = false;

	async function deliver(records: readonly LoadRecord[], draw: Random): Promise<void> {
		const request = requestOf(records, draw.pick(['json', 'protobuf']));
		while (!aborted) {
			const at = Date.now();
			const answer = await post(pool, request);
			tally[answer.outcome]++;
			tally.rejectedRecords += answer.rejectedRecords;
			if (answer.outcome === 'acknowledged') return noteAcknowledged(records, at);
			await pause(draw.between(30, 200));
		}
	}

	function noteAcknowledged(records: readonly LoadRecord[], at: number) {
		for (const record of records) {
			const known = sent.get(record.uid) ?? {record, acknowledgements: 0, acknowledgedRequestAt: at};
			known.acknowledgements++;
			sent.set(record.uid, known);
		}
		for (const tell of witnesses) tell();
		witnesses.clear();
	}

	async function runClient(draw: Random) {
		const plots = createPlots(nextStory, () => !finishing && tally.faults < allowance() && ++tally.faults > 0, draw);
		let last: readonly LoadRecord[] = [];
		while (!aborted) {
			const records = plots.nextRecords();
			if (records.length === 0 && finishing) return;
			if (records.length > 0) last = records;
			// A producer whose answer got lost sends what the bridge has long kept.
			const again = last.length > 0 && (records.length === 0 || draw.chance(0.1));
			if (records.length > 0) await deliver(records, draw);
			if (again) await deliver(last, draw);
			await pause(draw.between(10, 80));
		}
	}

	const running = Promise.all(Array.from({length: clients}, () => runClient(random.fork())));
	return {
		tally: () => ({...tally}) as const,
		sent: (): readonly Sent[] => [...sent.values()],
		/** Resolves at the next 200. */
		acknowledgement: () => new Promise<void>(resolve => void witnesses.add(resolve)),
		/** No new faults; resolves when all that was begun is acknowledged. */
		async finish() {
			finishing = true;
			await running;
		},
		async abort() {
			aborted = true;
			await pool.destroy();
			await running;
		},
	};
}
export type Load = ReturnType<typeof startLoad>;

/** The stories that one client has begun, a few side by side. */
function createPlots(nextStory: NextStory, mayBegin: () => boolean, draw: Random) {
	let begun: {readonly story: Story; told: number}[] = [];
	return {
		nextRecords(): readonly LoadRecord[] {
			while (begun.length < 4 && mayBegin()) begun.push({story: nextStory(), told: 0});
			const chosen = begun.filter(() => begun.length === 1 || draw.chance(0.6));
			const records = chosen.flatMap(plot => plot.story.records.slice(plot.told, ++plot.told));
			begun = begun.filter(({story, told}) => told < story.records.length);
			return records.length > 0 || begun.length === 0 ? records : this.nextRecords();
		},
	};
}

type Answer = {
	/** unanswered: the connection broke, so it may have arrived; unreached: nobody listened. */
	readonly outcome: 'acknowledged' | 'refused' | 'unanswered' | 'unreached';
	readonly rejectedRecords: number;
};

async function post(pool: Pool, {contentType, body}: OtlpRequest): Promise<Answer> {
	try {
		const headers = {'content-type': contentType};
		const response = await pool.request({path: '/v1/logs', method: 'POST', headers, body});
		const answer = Buffer.from(await response.body.arrayBuffer());
		if (response.statusCode !== 200) return {outcome: 'refused', rejectedRecords: 0};
		// Empty in protobuf and {} in JSON: nothing of the request was rejected.
		return {outcome: 'acknowledged', rejectedRecords: answer.length > 2 ? 1 : 0};
	} catch (error) {
		const isUnreached = error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
		return {outcome: isUnreached ? 'unreached' : 'unanswered', rejectedRecords: 0};
	}
}
