import {once} from 'node:events';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {diag} from '@opentelemetry/api';
import type {Component} from '../component.ts';
import {BridgeError, toError} from '../errors.ts';
import type {Endpoint} from '../settings.ts';
import {contentType} from './prometheus.ts';

export type MetricsServerOptions = {
	readonly endpoint: Endpoint;
	/** How long the metrics may take to collect, and then the client to read them. */
	readonly timeoutMillis?: number;
};

export type MetricsServerParts = {
	readonly collect: () => Promise<string>;
	/** Each part of the bridge: true when it is ready, otherwise what it waits for. */
	readonly readiness: () => Readonly<Record<string, true | string>>;
};

type Answer = {readonly status: number; readonly type: string; readonly body: string};

/** Serves the metrics to Prometheus and the state of health to whatever supervises the bridge. */
export function createMetricsServer(
	{endpoint, timeoutMillis = 10_000}: MetricsServerOptions,
	{collect, readiness}: MetricsServerParts,
): Component & {url(): URL} {
	const routes: Record<string, () => Answer | Promise<Answer>> = {
		'/metrics': metricsAnswer(collect, timeoutMillis),
		'/healthz': () => jsonAnswer(200, {status: 'ok'}),
		'/readyz': () => readyAnswer(readiness),
	};
	const server = createServer({headersTimeout: 5000, requestTimeout: 10_000, keepAliveTimeout: 75_000}, (request, response) => {
		// Also a client that reads one byte at a time has this long: the socket's own timeout would begin again with each.
		const deadline = setTimeout(() => response.destroy(), 2 * timeoutMillis);
		response.on('close', () => clearTimeout(deadline));
		answer(routes, request, response).catch(error => {
			diag.error(`${request.url} could not be answered:`, error);
			response.destroy();
		});
	});
	server.maxConnections = 64;

	let stopped = false;
	let starting: Promise<unknown> = Promise.resolve();
	return {
		name: 'metrics server',
		async start() {
			if (stopped) return;
			server.listen(endpoint.port, endpoint.host);
			starting = once(server, 'listening');
			await starting.catch(cause => {
				throw new BridgeError('ERR_CONFIG', `telemetry.metrics_endpoint: ${whyNot(endpoint, cause)}`, {cause});
			});
		},
		async shutdown() {
			stopped = true;
			await starting.catch(() => {});
			if (!server.listening) return;
			server.close();
			server.closeAllConnections();
			await once(server, 'close');
		},
		url() {
			const {address, family, port} = server.address() as AddressInfo;
			return new URL(`http://${family === 'IPv6' ? `[${address}]` : address}:${port}/metrics`);
		},
	};
}

function whyNot({host, port}: Endpoint, cause: NodeJS.ErrnoException): string {
	if (cause.code === 'EADDRINUSE') return `${host}:${port} is taken by another program: choose another port`;
	return `cannot listen on ${host}:${port}: ${cause.message}`;
}

async function answer(
	routes: Readonly<Record<string, () => Answer | Promise<Answer>>>,
	request: IncomingMessage,
	response: ServerResponse,
): Promise<void> {
	const path = URL.parse(request.url ?? '', 'http://localhost')?.pathname ?? '';
	const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
	if (route && request.method !== 'GET' && request.method !== 'HEAD') response.setHeader('Allow', 'GET, HEAD');
	const {status, type, body} = await answerOf(route, request.method);
	response.writeHead(status, {'Content-Type': type, 'Content-Length': Buffer.byteLength(body), 'Cache-Control': 'no-store'});
	response.end(request.method === 'HEAD' ? undefined : body);
}

function answerOf(route: (() => Answer | Promise<Answer>) | undefined, method: string | undefined): Answer | Promise<Answer> {
	if (!route) return plainAnswer(404, 'There are /metrics, /healthz and /readyz.');
	if (method !== 'GET' && method !== 'HEAD') return plainAnswer(405, 'Only GET and HEAD are answered here.');
	return route();
}

const plainAnswer = (status: number, text: string): Answer => ({status, type: 'text/plain; charset=utf-8', body: `${text}\n`});
const jsonAnswer = (status: number, body: object): Answer => ({
	status,
	type: 'application/json',
	body: `${JSON.stringify(body)}\n`,
});

/** Clients that ask at the same time share one collection: many of them cost no more than one. */
function metricsAnswer(collect: () => Promise<string>, timeoutMillis: number): () => Promise<Answer> {
	let collecting: Promise<Answer> | undefined;
	return async () => {
		collecting ??= withinTime(collect(), timeoutMillis)
			.then(body => ({status: 200, type: contentType, body}))
			.catch(error => {
				diag.warn('The metrics could not be collected:', error);
				return plainAnswer(503, `The metrics could not be collected: ${toError(error).message}`);
			})
			.finally(() => {
				collecting = undefined;
			});
		return collecting;
	};
}

async function withinTime<T>(work: Promise<T>, millis: number): Promise<T> {
	const {promise, reject} = Promise.withResolvers<never>();
	const timer = setTimeout(() => reject(new Error(`not within ${millis} ms`)), millis);
	return Promise.race([work, promise]).finally(() => clearTimeout(timer));
}

function readyAnswer(readiness: MetricsServerParts['readiness']): Answer {
	const waiting = Object.entries(readiness()).filter(([, state]) => state !== true);
	if (waiting.length === 0) return jsonAnswer(200, {status: 'ready'});
	return jsonAnswer(503, {status: 'not_ready', not_ready: Object.fromEntries(waiting)});
}
