import {once} from 'node:events';
import type {RequestListener, Server} from 'node:http';
import type {AddressInfo, Socket} from 'node:net';
import express, {type ErrorRequestHandler} from 'express';
import type {Component} from '../../component.ts';
import {BridgeError, toError} from '../../errors.ts';
import type {Consume} from '../../event.ts';
import {isLoopback} from '../../settings.ts';
import type {Instruments} from '../../telemetry.ts';
import {createAdmission} from './admission.ts';
import {createRefuse} from './answer.ts';
import {isGuarded, type OtlpReceiverConfig} from './config.ts';
import {createIntake} from './intake.ts';
import {createHttpServer} from './listener.ts';
import {type Signal, signals} from './reader.ts';
import type {createReaders} from './reading.ts';
import {createRefusalLog, type Log} from './refusal-log.ts';

export type OtlpReceiverParts = {
	readonly readers: ReturnType<typeof createReaders>;
	readonly consume: Consume;
	readonly instruments: Pick<Instruments, 'intakeRecords'>;
	readonly log: Log;
	readonly now?: () => number;
	/** How long `shutdown` waits for the requests in flight. */
	readonly drainMillis?: number;
};

/** OTLP/HTTP for logs, metrics and traces, in protobuf and JSON. A 200 means that what was selected is on disk. */
export function createOtlpReceiver(options: OtlpReceiverConfig, parts: OtlpReceiverParts): Component & {url(): URL} {
	const {log, now = Date.now, drainMillis = 5000} = parts;
	const report = createRefusalLog(log, now);
	const refuse = createRefuse(report);
	const admission = createAdmission(options, now);
	const app = createApp(createIntake(options, {...parts, admission, refuse, now}), refuse);
	let isShutDown = false;
	let opening: Promise<Listening | undefined> | undefined;
	let closing: Promise<void> | undefined;

	async function open(): Promise<Listening | undefined> {
		const server = await createHttpServer(options, app, report);
		if (isShutDown) return undefined;
		const listening = await listen(server, options);
		// Without a listener a failed accept, for want of file descriptors for one, would end the whole bridge.
		server.on('error', error => report({level: 'error', kind: 'accept', address: '', text: `OTLP intake: ${error.message}`}));
		log('info', `OTLP intake listens on ${listening.url.href}`);
		for (const warning of warningsOf(options)) log('warn', warning);
		return listening;
	}

	async function close() {
		const listening = await opening?.catch(() => undefined); // Whoever called start has heard of it.
		if (listening) await drain(listening, drainMillis);
	}

	let url: URL | undefined;
	return {
		name: 'OTLP receiver',
		async start() {
			opening = open();
			url = (await opening)?.url;
		},
		/** Who is in is served, who comes on an open connection hears 503, and after a while the connections are cut. */
		async shutdown() {
			isShutDown = true;
			admission.close();
			closing ??= close();
			await closing;
		},
		url() {
			if (!url) throw new BridgeError('ERR_NOT_READY', 'the OTLP receiver does not listen yet');
			return url;
		},
	};
}

const paths: Record<Signal, string> = {logs: '/v1/logs', metrics: '/v1/metrics', traces: '/v1/traces'};
function createApp(intakeOf: ReturnType<typeof createIntake>, refuse: ReturnType<typeof createRefuse>): RequestListener {
	const app = express();
	app.disable('x-powered-by').enable('case sensitive routing').enable('strict routing');
	for (const signal of signals) {
		app.post(paths[signal], intakeOf(signal));
		app.all(paths[signal], (request, response) =>
			refuse(request, response, {refusal: 'method_not_allowed', message: 'The method must be POST.'}),
		);
	}
	app.use((request, response) =>
		refuse(request, response, {refusal: 'not_found', message: 'Nothing is here: POST to /v1/logs, /v1/metrics or /v1/traces.'}),
	);
	const onError: ErrorRequestHandler = (error, request, response, _next) => {
		if (response.headersSent) response.destroy();
		else refuse(request, response, {refusal: 'failed', message: 'The request failed. Send it again.', cause: toError(error)});
	};
	return app.use(onError);
}

type Listening = {readonly server: Server; readonly sockets: ReadonlySet<Socket>; readonly url: URL};

async function listen(server: Server, {endpoint, tls}: OtlpReceiverConfig): Promise<Listening> {
	const sockets = new Set<Socket>();
	server.on('connection', (socket: Socket) => {
		sockets.add(socket);
		socket.once('close', () => sockets.delete(socket));
	});
	const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
	try {
		server.listen(endpoint.port, endpoint.host);
		await once(server, 'listening');
	} catch (error) {
		const reason = `cannot listen on ${host}:${endpoint.port}: ${toError(error).message}`;
		throw new BridgeError('ERR_CONFIG', `receivers.otlp.endpoint: ${reason}`, {cause: error});
	}
	const {port} = server.address() as AddressInfo;
	return {server, sockets, url: new URL(`${tls ? 'https' : 'http'}://${host}:${port}`)};
}

async function drain({server, sockets}: Listening, drainMillis: number): Promise<void> {
	const closed = once(server, 'close');
	server.close();
	// Not closeAllConnections: that leaves those out which are still at their TLS handshake.
	const timer = setTimeout(() => sockets.forEach(socket => void socket.destroy()), drainMillis);
	await closed;
	clearTimeout(timer);
}

function warningsOf(options: OtlpReceiverConfig): string[] {
	if (isLoopback(options.endpoint)) return [];
	return [
		!isGuarded(options) && 'OTLP intake serves whoever reaches it: insecure is true',
		!options.tls && 'OTLP intake speaks plain HTTP beyond loopback: without tls, tokens and records can be read on the way',
	].filter(warning => warning !== false);
}
