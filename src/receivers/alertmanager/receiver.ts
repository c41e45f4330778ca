import {hash, timingSafeEqual} from 'node:crypto';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import {createServer as createSecureServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import type {Component} from '../../component.ts';
import {BridgeError, isBridgeError, toError} from '../../errors.ts';
import type {Secret} from '../../secret.ts';
import type {SourceParts} from '../../source.ts';
import type {AlertmanagerConfig} from './config.ts';
import {createSelect, parseNotification, toHardwareEvent} from './notification.ts';

/** A "no" or a "yes": Alertmanager tries again after 5xx, and drops the notification after 4xx. */
type Answer = {readonly status: number; readonly text: string; readonly headers?: Readonly<Record<string, string>>};

const mostConnections = 200;
const path = '/alertmanager';
const busy = (text: string): Answer => ({status: 503, text, headers: {'Retry-After': '5'}});

/** Alertmanager's webhook: alerts about hardware become events, resolved ones say that the part is well. */
export function createAlertmanagerReceiver(config: AlertmanagerConfig, parts: SourceParts): Component & {url(): URL} {
	const {consume, log, now = Date.now} = parts;
	const isSelected = createSelect(config.match);
	const isBearer = config.bearer_token && createBearerCheck(config.bearer_token);
	let server: Server | undefined;
	let isShutDown = false;

	async function answerTo(request: IncomingMessage): Promise<Answer> {
		if (URL.parse(request.url ?? '', 'http://bridge')?.pathname !== path) return {status: 404, text: `POST to ${path}.`};
		if (request.method !== 'POST') return {status: 405, text: 'The method must be POST.', headers: {Allow: 'POST'}};
		if (isBearer && !isBearer(request.headers.authorization)) {
			return {status: 401, text: 'The request carries no valid bearer token.', headers: {'WWW-Authenticate': 'Bearer'}};
		}
		const body = await readBody(request, config.max_request_size);
		if (body === undefined) {
			return {status: 413, text: `The body is larger than ${config.max_request_size} bytes: set max_alerts in Alertmanager.`};
		}
		const notification = parseNotification(body);
		if (typeof notification === 'string') return {status: 400, text: notification};
		if (notification.truncatedAlerts > 0) {
			log(
				'warn',
				`Alertmanager left out ${notification.truncatedAlerts} alert(s) of a notification: raise max_alerts of its webhook`,
			);
		}
		const receivedAt = now();
		const events = notification.alerts.filter(isSelected).map(alert => toHardwareEvent(alert, config.labels, receivedAt));
		await consume(events); // On disk first: Alertmanager forgets what was answered.
		return {status: 200, text: `${events.length} of ${notification.alerts.length} alert(s) are about hardware, and kept.`};
	}

	async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const answer = await answerTo(request).catch(refusalOf);
		if (answer.status !== 200) {
			log(
				'warn',
				`a notification of Alertmanager from ${request.socket.remoteAddress} was answered ${answer.status}: ${answer.text}`,
			);
		}
		const text = `${answer.text}\n`;
		const length = Buffer.byteLength(text);
		response.writeHead(answer.status, {
			'Content-Type': 'text/plain; charset=utf-8',
			'Content-Length': length,
			...answer.headers,
		});
		response.end(text);
		request.resume(); // What was refused unread is read and thrown away, for its answer to be read.
	}

	return {
		name: 'Alertmanager receiver',
		async start() {
			if (isShutDown) return;
			server = openServer(config).on('request', (request, response) => {
				serve(request, response).catch(error => {
					log('error', `a notification of Alertmanager could not be answered: ${toError(error).message}`);
					response.destroy();
				});
			});
			server.maxConnections = mostConnections;
			server.headersTimeout = config.request_timeout;
			server.requestTimeout = config.request_timeout;
			await listen(server, config);
			log('info', `Alertmanager's webhook is taken at ${this.url().href}`);
		},
		/** Who is in is served. */
		async shutdown() {
			isShutDown = true;
			if (!server?.listening) return;
			const closed = once(server, 'close');
			server.close();
			server.closeIdleConnections();
			const timer = setTimeout(() => server?.closeAllConnections(), 5000);
			await closed;
			clearTimeout(timer);
		},
		url() {
			if (!server?.listening) throw new BridgeError('ERR_NOT_READY', 'the Alertmanager receiver does not listen yet');
			const {address, port} = server.address() as AddressInfo;
			return new URL(`${config.tls ? 'https' : 'http'}://${address.includes(':') ? `[${address}]` : address}:${port}${path}`);
		},
	};
}

function refusalOf(thrown: unknown): Answer {
	if (isBridgeError(thrown, 'ERR_STORE_FULL', 'ERR_STORE_BUSY', 'ERR_STORE_DAMAGED', 'ERR_SHUTTING_DOWN', 'ERR_NOT_READY'))
		return busy(thrown.message);
	return busy(`The notification could not be kept: ${toError(thrown).message}`);
}

/**
Undefined when it is larger than it may be: then it is read on and thrown away, so that the client gets to read its answer.
Rejects when the client goes away.
*/
async function readBody(request: IncomingMessage, mostBytes: number): Promise<string | undefined> {
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of request as AsyncIterable<Buffer>) {
		size += chunk.length;
		if (size <= mostBytes) chunks.push(chunk);
		else chunks.length = 0;
	}
	return size > mostBytes ? undefined : Buffer.concat(chunks).toString('utf8');
}

function openServer({tls, request_timeout}: AlertmanagerConfig): Server {
	const timing = {connectionsCheckingInterval: Math.min(1000, Math.ceil(request_timeout / 4))};
	if (!tls) return createServer(timing);
	const read = (key: keyof typeof tls) => {
		const file = tls[key];
		try {
			return file === undefined ? undefined : readFileSync(file);
		} catch (cause) {
			throw new BridgeError('ERR_CONFIG', `receivers.alertmanager.tls.${key}: ${toError(cause).message}`, {cause});
		}
	};
	const ca = read('client_ca_file');
	const clients = ca && {ca, requestCert: true, rejectUnauthorized: true};
	try {
		return createSecureServer({...timing, cert: read('cert_file'), key: read('key_file'), minVersion: 'TLSv1.2', ...clients});
	} catch (cause) {
		if (cause instanceof BridgeError) throw cause;
		throw new BridgeError('ERR_CONFIG', `receivers.alertmanager.tls: ${toError(cause).message}`, {cause});
	}
}

async function listen(server: Server, {endpoint: {host, port}}: AlertmanagerConfig): Promise<void> {
	try {
		server.listen(port, host);
		await once(server, 'listening');
	} catch (cause) {
		const reason = `cannot listen on ${host}:${port}: ${toError(cause).message}`;
		throw new BridgeError('ERR_CONFIG', `receivers.alertmanager.endpoint: ${reason}`, {cause});
	}
}

/** Digests are compared: neither the token's length nor how much of a guess was right shows in the time it takes. */
function createBearerCheck(token: Secret) {
	const digest = (bytes: Buffer) => hash('sha256', bytes, 'buffer');
	const expected = digest(Buffer.from(token.reveal()));
	return (authorization = ''): boolean => {
		const presented = /^bearer +(\S+)$/i.exec(authorization)?.[1] ?? '';
		return timingSafeEqual(digest(Buffer.from(presented, 'latin1')), expected);
	};
}
