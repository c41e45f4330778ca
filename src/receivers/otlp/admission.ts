import type {IncomingMessage, ServerResponse} from 'node:http';
import {createBearerCheck} from './auth.ts';
import type {OtlpReceiverConfig} from './config.ts';
import {createRateLimit} from './rate-limit.ts';
import type {Refusal} from './refusal.ts';

export type Admission = ReturnType<typeof createAdmission>;
type Options = Pick<OtlpReceiverConfig, 'bearer_token' | 'rate_limit' | 'max_requests_in_flight'>;

const shuttingDown: Refusal = {refusal: 'shutting_down', message: 'The bridge is shutting down. Send the request again.'};
const unauthenticated: Refusal = {refusal: 'unauthenticated', message: 'The request carries no valid bearer token.'};
const overloaded: Refusal = {refusal: 'overloaded', message: 'Too many requests are in flight. Send the request again.'};

/** Who may come in now, and who is in. */
export function createAdmission(options: Options, now: () => number) {
	const secondsToWait = options.rate_limit && createRateLimit(options.rate_limit, now);
	const isBearer = options.bearer_token && createBearerCheck(options.bearer_token);
	const inFlight = new Set<ServerResponse>();
	let isClosed = false;

	return {
		/** The rate is judged first: it is also what slows down the guessing of tokens. */
		refusalFor(request: IncomingMessage): Refusal | undefined {
			if (isClosed) return shuttingDown;
			const seconds = secondsToWait?.(request.socket.remoteAddress ?? '');
			if (seconds !== undefined) return tooManyRequests(seconds);
			if (isBearer && !isBearer(request.headers.authorization)) return unauthenticated;
			return inFlight.size >= options.max_requests_in_flight ? overloaded : undefined;
		},

		enter(response: ServerResponse): Disposable {
			inFlight.add(response);
			return {[Symbol.dispose]: () => inFlight.delete(response)};
		},

		/** Who is in is served to the end, on a connection that then closes. */
		close() {
			isClosed = true;
			for (const response of inFlight) response.shouldKeepAlive = false;
		},
	};
}

const tooManyRequests = (retryAfterSeconds: number): Refusal => ({
	refusal: 'too_many_requests',
	message: `This client sends more requests than it may. Send the request again in ${retryAfterSeconds} s.`,
	retryAfterSeconds,
});
