import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import type {Limits} from './config.ts';
import type {End} from './relay.ts';

/** A reply of a server over plain HTTP, its body on its way. */
export type Reply = {
	readonly statusCode: number;
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
	readonly body: Readable;
};

/** A client's question that goes on: nothing of it but what says which form of the answer is wanted, or anything could be uploaded (G4). */
const passedOn = ['accept', 'accept-encoding', 'if-modified-since', 'if-none-match', 'if-range', 'range'] as const;

export const questionOf = ({method, headers}: IncomingMessage) => ({
	method: method === 'HEAD' ? ('HEAD' as const) : ('GET' as const),
	headers: {
		...Object.fromEntries(passedOn.flatMap(name => (headers[name] === undefined ? [] : [[name, headers[name]]]))),
		via: '1.1 callhome',
	},
});

/** Of one connection, not of the reply (RFC 9110, 7.6.1). */
const hopByHop = [
	'connection',
	'keep-alive',
	'proxy-authenticate',
	'proxy-authentication-info',
	'proxy-connection',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
];

export function headersOf({headers}: Reply): Record<string, string | string[]> {
	const named = [headers.connection].flat().flatMap(value => value?.toLowerCase().split(',') ?? []);
	const own = new Set([...hopByHop, ...named.map(name => name.trim())]);
	const rest = Object.entries(headers).filter(([name, value]) => value !== undefined && !own.has(name.toLowerCase()));
	return {...(Object.fromEntries(rest) as Record<string, string | string[]>), connection: 'close'};
}

export type Passed = {readonly reason: End; readonly bytes: number};

type PassOptions = {
	readonly limits: Pick<Limits, 'bytes_per_tunnel' | 'tunnel_lifetime' | 'idle_timeout'>;
	readonly passed: (bytes: number) => void;
	readonly signal: AbortSignal;
};

/** Passes the body on, under the same limits as a tunnel. What ends before its time closes the connection: the client sees that it is not whole. */
export async function passDownload(reply: Reply, response: ServerResponse, options: PassOptions): Promise<Passed> {
	const {bytes_per_tunnel: most, tunnel_lifetime, idle_timeout} = options.limits;
	let reason: End = 'closed';
	let bytes = 0;
	const end = (why: End) => {
		reason = why;
		reply.body.destroy();
		response.destroy();
	};
	const idle = setTimeout(() => end('idle'), idle_timeout);
	const lifetime = setTimeout(() => end('lifetime'), tunnel_lifetime);
	const stop = () => end('shutdown');
	options.signal.addEventListener('abort', stop, {once: true});
	async function* metered(body: AsyncIterable<Buffer>) {
		for await (const chunk of body) {
			bytes += chunk.length;
			if (bytes > most) return end('bytes');
			idle.refresh();
			options.passed(chunk.length);
			yield chunk;
		}
	}
	try {
		response.writeHead(reply.statusCode, headersOf(reply));
		await pipeline(reply.body, metered, response);
	} catch {
		if (reason === 'closed') reason = response.destroyed && !reply.body.errored ? 'client_reset' : 'destination_reset';
		end(reason);
	} finally {
		clearTimeout(idle);
		clearTimeout(lifetime);
		options.signal.removeEventListener('abort', stop);
	}
	return {reason, bytes};
}
