import {readFile} from 'node:fs/promises';
import {createSecureContext, type SecureContext, type TLSSocket} from 'node:tls';
import {Agent, buildConnector, type Dispatcher, request} from 'undici';
import {BridgeError, toError} from '../../errors.ts';
import {pinFault} from '../../pinned-key.ts';
import type {RedfishSystem} from './config.ts';
import type {Answered, Asked} from './session.ts';

export type Reply = Dispatcher.ResponseData & {readonly url: URL};
export type Demand = Asked & {readonly signal: AbortSignal; readonly bodyTimeout?: number};

export type Transport = {
	/** Rejects before anything is sent when the path leads to another host, or the module's key is not the pinned one. */
	request(path: string, demand: Demand): Promise<Reply>;
	close(): Promise<void>;
};

const contexts = new Map<string, SecureContext>();
const mostContexts = 32;

/** The same for all whose authorities are the same: one for each connection would cost more than the connection. */
function contextOf(ca: string): SecureContext {
	const context = contexts.get(ca) ?? createSecureContext(ca === '' ? {} : {ca});
	contexts.delete(ca);
	contexts.set(ca, context); // The newest last.
	const [oldest] = contexts.keys();
	if (contexts.size > mostContexts && oldest !== undefined) contexts.delete(oldest);
	return context;
}

export async function openTransport({url, ca_file, pin}: RedfishSystem, timeoutMillis: number): Promise<Transport> {
	const secureContext =
		url.protocol === 'https:' ? contextOf(ca_file === undefined ? '' : await readFile(ca_file, 'utf8')) : undefined;
	const connect = buildConnector({
		timeout: timeoutMillis,
		allowH2: false,
		...(secureContext && {secureContext}),
		// A session that is resumed shows no certificate.
		...(pin !== undefined && {rejectUnauthorized: false, maxCachedSessions: 0}),
	});
	const pinned: typeof connect = (options, callback) =>
		connect(options, (...[error, socket]) => {
			const fault = socket && pin !== undefined ? pinFault(url.host, socket as TLSSocket, pin) : undefined;
			if (!fault) return error ? callback(error, null) : callback(null, socket as TLSSocket);
			socket?.destroy();
			callback(fault, null);
		});
	const timing = {headersTimeout: timeoutMillis, bodyTimeout: timeoutMillis};
	const agent = new Agent({connections: 2, ...timing, connect: pinned});
	return {
		async request(path, demand) {
			const target = URL.canParse(path, url.href) ? new URL(path, url) : undefined;
			if (target?.origin !== url.origin)
				throw new BridgeError('ERR_MALFORMED', 'a reference leads to another host: not followed');
			try {
				return {...(await request(target, {dispatcher: agent, ...demand})), url: target};
			} catch (error) {
				throw withAdvice(toError(error), url.host);
			}
		},
		close: () => agent.destroy(),
	};
}

function withAdvice(error: Error, host: string): Error {
	const code = 'code' in error ? String(error.code) : '';
	if (error instanceof BridgeError || !/CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)/.test(code)) return error;
	const advice = 'set ca_file or pin of this system if this is its own certificate';
	return new BridgeError('ERR_CERTIFICATE', `${host}: ${error.message}: ${advice}`, {cause: error});
}

/** The whole answer, as a text. */
export async function read(body: AsyncIterable<Buffer>, limit: number): Promise<string> {
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of body) {
		size += chunk.length;
		if (size > limit) throw new BridgeError('ERR_TOO_LARGE', `an answer is larger than max_response_size (${limit} bytes)`);
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString('utf8');
}

export const firstOf = (headers: Reply['headers']): Answered['headers'] =>
	Object.fromEntries(
		Object.entries(headers).flatMap(([name, value]) =>
			[value]
				.flat()
				.slice(0, 1)
				.map(text => [name, text ?? '']),
		),
	);
