import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import {createServer as createSecureServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import {BridgeError, toError} from '../../errors.ts';
import type {SourceParts} from '../../source.ts';
import type {ListenConfig} from './config.ts';

const mostBytes = 4 * 1024 ** 2;
const mostConnections = 1000;

/** Takes a payload for the module whose path it came on. False: it is no event. Rejects when it could not be kept. */
export type Take = (token: string, payload: unknown) => Promise<boolean | undefined>;

/** Where modules send their events: POST, each on the path that it was told, answered with 204 when the events are on disk. */
export function createListener(config: ListenConfig, take: Take, log: SourceParts['log']) {
	const server = open(config);
	server.maxConnections = mostConnections;
	server.headersTimeout = 10_000;
	server.requestTimeout = 30_000;
	server.on('request', (request: IncomingMessage, response: ServerResponse) => {
		answer(request, take)
			.catch(error => {
				log('warn', `an event of a Redfish module could not be kept: ${toError(error).message}`);
				return 503;
			})
			.then(status => response.writeHead(status, status === 503 ? {'Retry-After': '5'} : {}).end());
	});
	return {
		async start() {
			const {host, port} = config.endpoint;
			try {
				server.listen(port, host);
				await once(server, 'listening');
			} catch (cause) {
				const reason = `cannot listen on ${host}:${port}: ${toError(cause).message}`;
				throw new BridgeError('ERR_CONFIG', `receivers.redfish.listen.endpoint: ${reason}`, {cause});
			}
		},
		url(): URL {
			const {address, port} = server.address() as AddressInfo;
			return new URL(`${config.tls ? 'https' : 'http'}://${address.includes(':') ? `[${address}]` : address}:${port}/`);
		},
		async shutdown() {
			if (!server.listening) return;
			const closed = once(server, 'close');
			server.close();
			server.closeAllConnections();
			await closed;
		},
	};
}

async function answer(request: IncomingMessage, take: Take): Promise<number> {
	const token = /^\/redfish-events\/([0-9a-f]{32})\/?$/.exec(request.url ?? '')?.[1];
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of request as AsyncIterable<Buffer>) {
		size += chunk.length;
		if (size <= mostBytes) chunks.push(chunk);
		else chunks.length = 0; // Read on and thrown away, so that the module gets its answer.
	}
	if (token === undefined) return 404;
	if (request.method !== 'POST') return 405;
	if (size > mostBytes) return 413;
	const isTaken = await take(token, parsed(Buffer.concat(chunks)));
	return isTaken === undefined ? 404 : isTaken ? 204 : 400;
}

function parsed(body: Buffer): unknown {
	try {
		return JSON.parse(body.toString('utf8'));
	} catch {
		return undefined;
	}
}

function open({tls}: ListenConfig): Server {
	const timing = {connectionsCheckingInterval: 1000};
	if (!tls) return createServer(timing);
	try {
		const [cert, key] = [readFileSync(tls.cert_file), readFileSync(tls.key_file)];
		return createSecureServer({...timing, cert, key, minVersion: 'TLSv1.2', handshakeTimeout: 10_000});
	} catch (cause) {
		throw new BridgeError('ERR_CONFIG', `receivers.redfish.listen.tls: ${toError(cause).message}`, {cause});
	}
}
