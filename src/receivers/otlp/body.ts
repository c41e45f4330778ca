import type {IncomingMessage} from 'node:http';
import type {OtlpReceiverConfig} from './config.ts';
import type {Refusal} from './refusal.ts';

export type Limits = Pick<OtlpReceiverConfig, 'max_request_size' | 'max_inflated_size' | 'request_timeout'>;

export const tooLarge = (limitBytes: number, what = 'The body'): Refusal => ({
	refusal: 'too_large',
	message: `${what} is larger than ${limitBytes} bytes. Send smaller batches.`,
});

/**
The body as it comes, counted as it comes. Undefined when the client went away before it was complete: nothing of such a
request counts, and nobody is left to answer.
*/
export function readBody(request: IncomingMessage, limits: Limits): Promise<Buffer | Refusal | undefined> {
	return new Promise(resolve => {
		let bytes: Buffer | undefined;
		let isSettled = false;
		const settle = (outcome: Buffer | Refusal | undefined) => {
			clearTimeout(timer);
			isSettled = true;
			bytes = undefined;
			resolve(outcome);
		};
		const collect = createCollector();
		const timer = setTimeout(() => settle(tooSlow(limits.request_timeout)), limits.request_timeout);
		request.on('data', (chunk: Buffer) => {
			if (isSettled) return; // Read on and thrown away, so that the client gets to read its answer.
			bytes = collect(chunk);
			if (bytes.length > limits.max_request_size) settle(tooLarge(limits.max_request_size));
		});
		request.on('end', () => settle(bytes ?? Buffer.alloc(0)));
		request.on('error', () => settle(undefined));
	});
}

const tooSlow = (millis: number): Refusal => ({
	refusal: 'too_slow',
	message: `The body was not complete after ${millis / 1000} s. Send the request again.`,
});

/** Joins chunks in a buffer that doubles: a body in one-byte chunks takes no more memory than one in a piece. */
function createCollector() {
	let space: Buffer = Buffer.alloc(0);
	let size = 0;
	return function collect(chunk: Buffer): Buffer {
		if (size === 0)
			space = chunk; // Most bodies come in one chunk and are never copied.
		else {
			if (size + chunk.length > space.length) space = grow(space, size, chunk.length);
			chunk.copy(space, size);
		}
		size += chunk.length;
		return space.subarray(0, size);
	};
}

function grow(space: Buffer, size: number, extra: number): Buffer {
	const larger = Buffer.allocUnsafe(Math.max(2 * space.length, size + extra));
	space.copy(larger, 0, 0, size);
	return larger;
}
