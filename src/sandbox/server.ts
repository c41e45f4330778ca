import {once} from 'node:events';
import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Server} from 'node:https';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import type {Component} from '../component.ts';
import {BridgeError, isBridgeError, toError} from '../errors.ts';
import type {Endpoint} from '../settings.ts';
import {createEventApi} from './api.ts';
import {type Cases, createCases, type SandboxCase} from './cases.ts';
import {caFileIn, ensureCertificates} from './certificates.ts';
import type {SandboxConfig} from './config.ts';
import {createControl} from './control.ts';
import {sendJson} from './http.ts';
import {openJournal} from './journal.ts';
import {isSame} from './keys.ts';
import {createModes, type ModeOptions, type Modes, modeSetting, type SandboxMode} from './modes.ts';
import {createRecord, type ReceivedEvent, type ReceivedRecord} from './record.ts';
import {createTlsServer} from './tls.ts';

export type Sandbox = Component & {
	/** The event API, `https://127.0.0.1:PORT/connect/api/v1`; known once the sandbox has started. */
	url(): URL;
	/** The CA that a client is to trust, in PEM. */
	readonly caFile: string;
	setMode(mode: SandboxMode, options?: ModeOptions): void;
	/** The last events that came, oldest first. */
	received(): readonly ReceivedEvent[];
	/** Every case, whether or not a client has learned of it; oldest first. */
	cases(): readonly SandboxCase[];
};

export type SandboxOptions = SandboxConfig & {
	/** Where the certificates, `cases.jsonl` (read again at the next start) and `received.jsonl` live. */
	readonly directory: string;
};

const apiPath = '/connect/api/v1';
const recordBytes = 64 * 1024 ** 2;

/**
A stand-in for IBM's event API over TLS, with a CA of its own. Where the service is known it behaves as known; where it is not,
so that a careless client is caught. No key that a client sends is written down. control.ts says how to steer it from outside.
*/
export function createSandbox(options: SandboxOptions, now = Date.now, random = Math.random): Sandbox {
	const modes = createModes(initialSetting(options), random);
	const closing = new AbortController();
	const held = new AsyncDisposableStack();
	let starting: Promise<void> | undefined;
	let books: Books | undefined;
	let server: Server | undefined;

	async function open() {
		const certificates = await ensureCertificates(options.directory);
		if (closing.signal.aborted) throw new BridgeError('ERR_SHUTTING_DOWN', 'sandbox: it was shut down while it started');
		books = openBooks(options, held, now, random);
		const answer = createListener({options, modes, setMode, books, signal: closing.signal, now});
		const {showsExpiredCertificate} = modes;
		const tls = createTlsServer({certificates, requestTimeoutMillis: options.request_timeout, showsExpiredCertificate, answer});
		held.defer(() => tls.close());
		await listenOn(tls.server, options.endpoint);
		server = tls.server;
	}

	function setMode(mode: SandboxMode, modeOptions?: ModeOptions) {
		modes.set(modeSetting(mode, modeOptions));
		if (mode === 'expired_certificate') server?.closeIdleConnections(); // A kept connection would never see it.
	}

	return {
		name: 'sandbox',
		caFile: caFileIn(options.directory),
		start() {
			starting = open();
			return starting;
		},
		async shutdown() {
			closing.abort();
			await starting?.catch(() => {}); // Whoever called start has the error.
			await held.disposeAsync();
		},
		url: () => urlOf(server, options.endpoint),
		setMode,
		received: () => books?.record.list() ?? [],
		cases: () => books?.cases.list() ?? [],
	};
}

type Books = {readonly cases: Cases; readonly record: ReceivedRecord};

function openBooks(options: SandboxOptions, held: AsyncDisposableStack, now: () => number, random: () => number): Books {
	const caseJournal = openJournal(join(options.directory, 'cases.jsonl'));
	held.defer(() => caseJournal.close());
	const recordJournal = openJournal(join(options.directory, 'received.jsonl'), recordBytes);
	held.defer(() => recordJournal.close());
	const caseOptions = {caseDelayMillis: options.case_delay, duplicateDetection: options.duplicate_detection};
	return {cases: createCases(caseJournal, caseOptions, now, random), record: createRecord(recordJournal)};
}

type ListenerOptions = {
	readonly options: SandboxOptions;
	readonly modes: Modes;
	readonly setMode: Sandbox['setMode'];
	readonly books: Books;
	readonly signal: AbortSignal;
	now(): number;
};

function createListener({options, modes, setMode, books: {cases, record}, signal, now}: ListenerOptions) {
	const api = createEventApi({
		modes,
		cases,
		record,
		acceptsKeys: keyCheck(options),
		businessErrors: options.business_errors,
		now,
	});
	const control = createControl({mode: modes.current, setMode, received: record.list, cases: cases.list});

	async function route(request: IncomingMessage, response: ServerResponse, resetConnection: () => void) {
		const [path = ''] = (request.url ?? '').split('?');
		if (path.startsWith('/sandbox/')) return control(path, request, response);
		if (path !== apiPath) return sendJson(response, 404, {error: `the event API is ${apiPath}`});
		if (request.method !== 'POST') return sendJson(response, 405, {error: 'the event API takes POST'}, {allow: 'POST'});
		return api(request, response, {signal, resetConnection});
	}

	return function answer(request: IncomingMessage, response: ServerResponse, resetConnection: () => void) {
		// A connection that is kept would never meet the other certificate.
		if (['expired_certificate', 'chaos'].includes(modes.current().mode)) response.shouldKeepAlive = false;
		route(request, response, resetConnection).catch(error => answerFailure(response, toError(error)));
	};
}

const initialSetting = ({mode, probability, retry_after, delay}: SandboxConfig) =>
	modeSetting(mode, {
		probability,
		delayMillis: delay,
		...(retry_after !== undefined && {retryAfterSeconds: Math.ceil(retry_after / 1000)}),
	});

const keyCheck = ({api_key, private_key}: SandboxConfig) =>
	function acceptsKeys(apiKey: string, privateKey: string): boolean {
		if (apiKey === '' || privateKey === '') return false;
		return (!api_key || isSame(api_key, apiKey)) && (!private_key || isSame(private_key, privateKey));
	};

async function listenOn(server: Server, {host, port}: Endpoint) {
	server.listen(port, host);
	try {
		await once(server, 'listening');
	} catch (error) {
		const message = `sandbox: cannot listen on ${host}:${port}: ${toError(error).message}; choose another endpoint, or port 0 for a free one`;
		throw new BridgeError('ERR_CONFIG', message, {cause: error});
	}
}

function urlOf(server: Server | undefined, {host}: Endpoint): URL {
	const address = server?.address() as AddressInfo | null | undefined;
	if (!address) throw new BridgeError('ERR_NOT_READY', 'sandbox: it has an address only while it runs');
	const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
	return new URL(`https://${reachable.includes(':') ? `[${reachable}]` : reachable}:${address.port}${apiPath}`);
}

/** A full disk, or a fault of our own. What was not kept is not acknowledged. */
function answerFailure(response: ServerResponse, error: Error) {
	if (response.headersSent || !response.socket?.writable) return void response.destroy();
	const status = isBridgeError(error, 'ERR_STORE_FULL', 'ERR_SHUTTING_DOWN') ? 503 : 500;
	sendJson(response, status, {error: error.message}, {connection: 'close'});
}
