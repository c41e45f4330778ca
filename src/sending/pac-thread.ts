import {once} from 'node:events';
import {extname} from 'node:path';
import {MessageChannel, type MessagePort, Worker} from 'node:worker_threads';
import {BridgeError, toError} from '../errors.ts';
import type {Lookup} from './names.ts';
import {pacFault, pacGivenUp} from './pac-fault.ts';

export type PacQuestion = {
	readonly script: string;
	readonly url: string;
	readonly host: string;
	/** What myIpAddress() answers. */
	readonly address: string;
};
export type PacAnswered = {readonly answer: string} | {readonly fault: string};
export type PacWorkerData = {
	/** Names to be resolved go out, their addresses or null come back. */
	readonly names: MessagePort;
	/** 1 when an address has come back: the thread waits for that. */
	readonly answered: Int32Array;
};

export type PacThreadOptions = {
	/** The file or URL of the PAC file, for the messages. */
	readonly place: string;
	/** Milliseconds that one question may take, with all the names that the script asks for. */
	readonly limitMillis: number;
	readonly lookup: Lookup;
};

type Thread = {readonly worker: Worker; readonly ready: Promise<unknown>; readonly names: MessagePort};

/** The thread's own start is no fault of the script. */
const startMillis = 30_000;
/** A name that takes longer is as good as unknown: a site that leaves all names to its proxy often does not answer at all. */
const nameMillis = 1000;
const maxWaiting = 100;

// From a checkout it is TypeScript, from a package JavaScript.
const workerFile = new URL(`./pac-worker${extname(import.meta.filename)}`, import.meta.url);

/** A thread that is started at the first question, asked one by one, and ended when a script does not come to an end. */
export function createPacThread({place, limitMillis, lookup}: PacThreadOptions) {
	let current: Thread | undefined;
	let last: Promise<unknown> = Promise.resolve();
	let waiting = 0;
	const closing = new AbortController();

	/** What FindProxyForURL answers. Rejects with ERR_PAC. */
	async function find(question: PacQuestion): Promise<string> {
		if (waiting >= maxWaiting) throw pacFault(place, `has ${waiting} questions to answer already`);
		waiting++;
		const turn = last.then(() => ask(question));
		last = turn.catch(() => {});
		return turn.finally(() => waiting--);
	}

	async function ask(question: PacQuestion): Promise<string> {
		if (closing.signal.aborted) throw pacGivenUp(place, closing.signal.reason);
		current ??= startThread(lookup);
		const {worker, ready} = current;
		worker.ref();
		let limit: AbortSignal | undefined;
		try {
			await ready;
			limit = AbortSignal.timeout(limitMillis);
			worker.postMessage(question);
			const [answered] = (await once(worker, 'message', {signal: AbortSignal.any([limit, closing.signal])})) as [PacAnswered];
			if ('answer' in answered) return answered.answer;
			throw pacFault(place, answered.fault);
		} catch (error) {
			if (error instanceof BridgeError) throw error;
			await stop();
			if (closing.signal.aborted) throw pacGivenUp(place, error);
			throw pacFault(place, limit?.aborted ? `does not come to an end within ${limitMillis} ms` : trouble(error), error);
		} finally {
			worker.unref();
		}
	}

	async function stop(): Promise<void> {
		const thread = current;
		current = undefined;
		thread?.names.close();
		await thread?.worker.terminate();
	}

	return {
		find,
		async close() {
			closing.abort();
			await last;
			await stop();
		},
	};
}

function startThread(lookup: Lookup): Thread {
	const {port1: names, port2} = new MessageChannel();
	const answered = new Int32Array(new SharedArrayBuffer(4));
	const workerData: PacWorkerData = {names: port2, answered};
	const worker = new Worker(workerFile, {
		workerData,
		transferList: [port2],
		env: {},
		stdout: true,
		stderr: true,
		resourceLimits: {maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8, stackSizeMb: 4},
	});
	worker.on('error', () => {}); // Whoever asks hears of it.
	worker.unref();
	names.on('message', async (host: string) => {
		names.postMessage(await addressOf(host, lookup));
		Atomics.store(answered, 0, 1);
		Atomics.notify(answered, 0);
	});
	names.unref();
	const ready = once(worker, 'message', {signal: AbortSignal.timeout(startMillis)});
	ready.catch(() => {}); // Whoever asks hears of it.
	return {worker, ready, names};
}

async function addressOf(host: string, lookup: Lookup): Promise<string | null> {
	try {
		const [address] = await lookup(host, 'ipv4', AbortSignal.timeout(nameMillis));
		return address ?? null;
	} catch {
		return null;
	}
}

function trouble(error: unknown): string {
	const {message, code} = toError(error) as NodeJS.ErrnoException;
	return code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'needs too much memory' : `cannot be run (${message})`;
}
