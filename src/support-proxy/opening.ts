import type {Socket} from 'node:net';
import {type Refusal, upstreamRefusal} from './refusal.ts';

export type Opened<T> =
	| {readonly value: T; readonly refusal?: undefined}
	| {readonly refusal: Refusal; readonly value?: undefined};

const tooLate = (millis: number): Refusal => ({
	decision: 'ERR_CONNECTION_TIMEOUT',
	status: 504,
	text: `No connection to the destination in ${millis} ms (support_proxy.limits.open_timeout). "callhome test connectivity" shows where it ends.`,
});

export type Opening = {
	/** Aborted when the proxy stops. */
	readonly stopping: AbortSignal;
	stop(): void;
	/** The signal is aborted only while it opens. */
	run<T>(client: Socket, open: (signal: AbortSignal) => Promise<T>): Promise<Opened<T>>;
};

/** Opens ways to destinations: each is given up when its time is over, when the client has gone, or when the proxy stops. */
export function createOpening(timeoutMillis: number): Opening {
	const stopping = new AbortController();
	return {
		stopping: stopping.signal,
		stop: () => stopping.abort(),
		async run<T>(client: Socket, open: (signal: AbortSignal) => Promise<T>): Promise<Opened<T>> {
			const giveUp = new AbortController();
			const abort = () => giveUp.abort();
			let isLate = false;
			const timer = setTimeout(() => {
				isLate = true;
				abort();
			}, timeoutMillis);
			client.once('close', abort);
			stopping.signal.addEventListener('abort', abort, {once: true});
			if (client.destroyed || stopping.signal.aborted) abort();
			try {
				return {value: await open(giveUp.signal)};
			} catch (error) {
				return {refusal: isLate ? tooLate(timeoutMillis) : upstreamRefusal(error)};
			} finally {
				clearTimeout(timer);
				client.off('close', abort);
				stopping.signal.removeEventListener('abort', abort);
			}
		},
	};
}
