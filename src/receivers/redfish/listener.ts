import type {IncomingMessage, ServerResponse} from 'node:http';
import {toError} from '../../errors.ts';
import {createHttpListener, readWhole} from '../../http-listener.ts';
import type {SourceParts} from '../../source.ts';
import type {ListenConfig} from './config.ts';

const mostBytes = 4 * 1024 ** 2;
const limits = {connections: 1000, headersMillis: 10_000, requestMillis: 30_000};

/** Takes a payload for the module whose path it came on. False: it is no event. Rejects when it could not be kept. */
export type Take = (token: string, payload: unknown) => Promise<boolean | undefined>;

/** Where modules send their events: POST, each on the path that it was told, answered with 204 when the events are on disk. */
export function createListener(config: ListenConfig, take: Take, log: SourceParts['log']) {
	const listener = createHttpListener('receivers.redfish.listen', config, limits);
	listener.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
		answer(request, take)
			.catch(error => {
				log('warn', `an event of a Redfish module could not be kept: ${toError(error).message}`);
				return 503;
			})
			.then(status => response.writeHead(status, status === 503 ? {'Retry-After': '5'} : {}).end());
	});
	return listener;
}

async function answer(request: IncomingMessage, take: Take): Promise<number> {
	const token = /^\/redfish-events\/([0-9a-f]{32})\/?$/.exec(request.url ?? '')?.[1];
	const body = await readWhole(request, mostBytes); // Before any answer, so that the module gets to read it.
	if (token === undefined) return 404;
	if (request.method !== 'POST') return 405;
	if (!body) return 413;
	const isTaken = await take(token, parsed(body));
	return isTaken === undefined ? 404 : isTaken ? 204 : 400;
}

function parsed(body: Buffer): unknown {
	try {
		return JSON.parse(body.toString('utf8'));
	} catch {
		return undefined;
	}
}
