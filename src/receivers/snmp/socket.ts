import {once} from 'node:events';
import {extname} from 'node:path';
import {Worker} from 'node:worker_threads';
import {BridgeError} from '../../errors.ts';

export type SocketWorkerData = {
	readonly host: string;
	readonly port: number;
	/** Bytes that the kernel is asked to hold. */
	readonly receiveBuffer: number;
	/** Datagrams that may wait until they are settled. */
	readonly mostWaiting: number;
};

export type FromSocket =
	| {readonly kind: 'listening'; readonly address: string; readonly port: number; readonly receiveBuffer: number}
	| {readonly kind: 'failed'; readonly message: string}
	| {
			readonly kind: 'arrived';
			readonly bytes: Uint8Array<ArrayBuffer>;
			/** One after the other in `bytes`; each ends where the next one begins. */
			readonly datagrams: readonly {readonly end: number; readonly address: string; readonly port: number}[];
			/** Datagrams that found no room to wait in. */
			readonly overflowed: number;
	  };

export type ToSocket =
	| {readonly kind: 'send'; readonly bytes: Uint8Array; readonly address: string; readonly port: number}
	| {readonly kind: 'settled'; readonly count: number}
	| {readonly kind: 'close'};

/** One datagram, and from where it came. */
export type Datagram = {readonly bytes: Buffer; readonly address: string; readonly port: number};

export type TrapSocket = {
	readonly address: string;
	readonly port: number;
	/** What the kernel really holds. */
	readonly receiveBuffer: number;
	send(bytes: Buffer, to: Pick<Datagram, 'address' | 'port'>): void;
	/** So many that arrived wait no longer. */
	settled(count: number): void;
	close(): Promise<void>;
};

export type SocketEvents = {
	readonly onDatagrams: (datagrams: readonly Datagram[], overflowed: number) => void;
	/** The thread ended by itself. */
	readonly onEnd: (error: Error) => void;
};

// From a checkout it is TypeScript, from a package JavaScript.
const workerFile = new URL(`./socket-worker${extname(import.meta.filename)}`, import.meta.url);

/** Opens a UDP socket in a thread of its own. Rejects with ERR_CONFIG when the endpoint cannot be had. */
export async function openTrapSocket(options: SocketWorkerData, {onDatagrams, onEnd}: SocketEvents): Promise<TrapSocket> {
	const worker = new Worker(workerFile, {workerData: options, env: {}, stdout: true, stderr: true});
	const tell = (message: ToSocket) => worker.postMessage(message);
	const [first] = (await once(worker, 'message')) as [FromSocket];
	if (first.kind !== 'listening') {
		await worker.terminate();
		const reason = first.kind === 'failed' ? first.message : 'the thread did not begin';
		throw new BridgeError(
			'ERR_CONFIG',
			`receivers.snmp.traps.endpoint: cannot listen on ${options.host}:${options.port}: ${reason}`,
		);
	}
	let isClosing = false;
	worker.on('message', (message: FromSocket) => {
		if (message.kind === 'arrived') onDatagrams(datagramsOf(message), message.overflowed);
	});
	worker.on('error', error => !isClosing && onEnd(error));
	const ended = once(worker, 'exit').catch(() => {});
	return {
		address: first.address,
		port: first.port,
		receiveBuffer: first.receiveBuffer,
		send: (bytes, {address, port}) => tell({kind: 'send', bytes, address, port}),
		settled: count => tell({kind: 'settled', count}),
		async close() {
			isClosing = true;
			tell({kind: 'close'});
			await ended;
		},
	};
}

function datagramsOf({bytes, datagrams}: Extract<FromSocket, {kind: 'arrived'}>): Datagram[] {
	let start = 0;
	return datagrams.map(({end, address, port}) => {
		const datagram = {bytes: Buffer.from(bytes.buffer, start, end - start), address, port};
		start = end;
		return datagram;
	});
}
