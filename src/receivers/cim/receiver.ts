import {randomUUID} from 'node:crypto';
import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Component} from '../../component.ts';
import {BridgeError, isBridgeError, toError} from '../../errors.ts';
import {readWhole} from '../../http-listener.ts';
import {isLoopback} from '../../settings.ts';
import type {SourceParts} from '../../source.ts';
import {toHardwareEvent} from './alert.ts';
import {type CimConfig, isForSystemsOnly} from './config.ts';
import {type Exported, type Rejection, readExport, refusalOfHeaders, writeError, writeSuccess} from './export-message.ts';
import {textOf} from './instance.ts';
import {createListener} from './listener.ts';
import {createRegistrar} from './registrar.ts';
import {createSenders, pathFor, resourceOf} from './senders.ts';
import {parseXml} from './xml.ts';

const resolveMillis = 300_000;
type Answer = {
	readonly httpStatus: number;
	readonly body: string;
	readonly headers?: Readonly<Record<string, string>>;
	readonly text?: string;
};

/** CIM-XML: subscribes to the alerts of management modules, and takes what they send. */
export function createCimReceiver(config: CimConfig, parts: SourceParts): Component & {url(): URL} {
	const {consume, marks, log, now = Date.now} = parts;
	const listener = createListener(config, serve, log);
	const report = createThinLog(log, now);
	let senders: ReturnType<typeof createSenders> | undefined;
	let registrar: ReturnType<typeof createRegistrar> | undefined;
	let timer: NodeJS.Timeout | undefined;
	let isShutDown = false;

	function serve(request: IncomingMessage, response: ServerResponse): void {
		answerTo(request)
			.catch(refusalOf)
			.then(answer => {
				if (answer.text !== undefined) report(request.socket.remoteAddress ?? '', answer.httpStatus, answer.text);
				write(response, answer);
				request.resume(); // What was refused unread is read and thrown away, for its answer to be read.
			})
			.catch(() => response.destroy());
	}

	async function answerTo(request: IncomingMessage): Promise<Answer> {
		if (isShutDown) return busy('The bridge is shutting down.');
		if (request.method !== 'POST') return {httpStatus: 405, body: '', headers: {Allow: 'POST'}};
		const address = request.socket.remoteAddress ?? '';
		const {system, isOwn} = senders?.senderOf(request.url ?? '', address) ?? {system: undefined, isOwn: false};
		if (!isOwn && isForSystemsOnly(config))
			return {httpStatus: 403, body: '', text: 'it is not an address of a system that receivers.cim names'};
		const unwelcome = refusalOfHeaders(request.headers, request.httpVersion);
		if (unwelcome) return answerOf(unwelcome);
		const body = await readWhole(request, config.max_request_size);
		if (!body) return {httpStatus: 413, body: '', text: `the body is larger than ${config.max_request_size} bytes`};
		const exported = read(body, String(request.headers.cimexportmethod));
		if (!('indication' in exported)) return answerOf(exported);
		const {indication} = exported;
		const resource = system ? resourceOf(system) : {'host.name': textOf(indication, 'SystemName') || address};
		const event = toHardwareEvent({indication, resource, receivedAt: now()});
		await within(consume([event]), config.answer_timeout);
		return {httpStatus: 200, body: writeSuccess(exported)}; // On disk first: what was answered is not sent again.
	}

	return {
		name: 'CIM receiver',
		async start() {
			const agentId = await agentIdIn(marks);
			if (isShutDown) return;
			const here = createSenders(config.systems, agentId);
			senders = here;
			registrar = createRegistrar(config, parts, agentId);
			await here.resolve();
			await listener.start();
			if (isShutDown) return listener.shutdown(0);
			for (const text of warningsOf(config)) log('warn', text);
			log('info', `CIM indications are taken at ${listener.url().href}`);
			const base = (config.destination_url ?? listener.url()).href.replace(/\/+$/, '');
			timer = setInterval(() => void here.resolve(), resolveMillis);
			await registrar.start(config.systems.map(system => ({system, destination: base + pathFor(agentId, system)})));
		},
		async shutdown() {
			isShutDown = true;
			clearInterval(timer);
			await Promise.all([registrar?.shutdown(), listener.shutdown(5000)]);
		},
		url: () => listener.url(),
	};
}

/** Under this id the bridge finds its own subscriptions again; it lives with the store. */
async function agentIdIn(marks: SourceParts['marks']): Promise<string> {
	const key = 'cim/agent-id';
	const known = await marks.read(key);
	if (known) return known;
	const made = randomUUID().replaceAll('-', '').slice(0, 16);
	await marks.write(key, made);
	return made;
}

function read(body: Uint8Array, method: string): Exported | Rejection {
	try {
		return readExport(parseXml(body), method);
	} catch (error) {
		if (!isBridgeError(error, 'ERR_MALFORMED')) throw error;
		return {httpStatus: 400, text: error.message, cimError: 'request-not-well-formed'};
	}
}

function answerOf(rejection: Rejection): Answer {
	if ('code' in rejection) {
		const {messageId, method, code, text} = rejection;
		return {httpStatus: 200, body: writeError(messageId, method, code, text), text};
	}
	const {httpStatus, cimError, text} = rejection;
	return {httpStatus, body: '', text, ...(cimError !== undefined && {headers: {CIMError: cimError}})};
}

const busy = (text: string): Answer => ({httpStatus: 503, body: '', text, headers: {'Retry-After': '5'}});
const refusalOf = (thrown: unknown): Answer => busy(`the indication could not be kept: ${toError(thrown).message}`);

function write(response: ServerResponse, {httpStatus, body, headers}: Answer): void {
	response.writeHead(httpStatus, {
		CIMExport: 'MethodResponse',
		'Content-Type': 'application/xml; charset="utf-8"',
		'Content-Length': Buffer.byteLength(body),
		...headers,
	});
	response.end(body);
}

/** It may be kept all the same after that: then the sender's next try is the same event. */
async function within<T>(work: Promise<T>, millis: number): Promise<T> {
	const {promise, reject} = Promise.withResolvers<never>();
	const timer = setTimeout(
		() => reject(new BridgeError('ERR_STORE_BUSY', `the store did not take it within ${millis / 1000} s`)),
		millis,
	);
	try {
		return await Promise.race([work, promise]);
	} finally {
		clearTimeout(timer);
	}
}

function warningsOf({endpoint, insecure, tls}: CimConfig): string[] {
	if (isLoopback(endpoint)) return [];
	return [
		insecure && 'CIM indications are taken from whoever reaches the endpoint: insecure is true',
		!tls && 'CIM indications come over plain HTTP beyond loopback: without tls they can be read and made up on the way',
	].filter(warning => warning !== false);
}

/** One line a minute for each address and status: a module that sends the same wrong thing does not fill the log. */
function createThinLog(log: SourceParts['log'], now: () => number) {
	const last = new Map<string, number>();
	return function report(address: string, status: number, text: string): void {
		const key = `${address} ${status}`;
		if (Math.abs(now() - (last.get(key) ?? Number.NEGATIVE_INFINITY)) < 60_000) return;
		if (last.size > 10_000) last.clear();
		last.set(key, now());
		log('warn', `a CIM indication from ${address} was answered ${status}: ${text}`);
	};
}
