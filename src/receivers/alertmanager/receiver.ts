import {hash, timingSafeEqual} from 'node:crypto';
import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Component} from '../../component.ts';
import {BridgeError, isBridgeError, toError} from '../../errors.ts';
import {createHttpListener, readWhole} from '../../http-listener.ts';
import type {Secret} from '../../secret.ts';
import type {SourceParts} from '../../source.ts';
import type {AlertmanagerConfig} from './config.ts';
import {createSelect, parseNotification, toHardwareEvent} from './notification.ts';

/** A "no" or a "yes": Alertmanager tries again after 5xx, and drops the notification after 4xx. */
type Answer = {readonly status: number; readonly text: string; readonly headers?: Readonly<Record<string, string>>};

const mostConnections = 200;
const drainMillis = 5000;
const path = '/alertmanager';
const busy = (text: string): Answer => ({status: 503, text, headers: {'Retry-After': '5'}});

/** Alertmanager's webhook: alerts about hardware become events, resolved ones say that the part is well. */
export function createAlertmanagerReceiver(config: AlertmanagerConfig, parts: SourceParts): Component & {url(): URL} {
	const {consume, log, now = Date.now} = parts;
	const isSelected = createSelect(config.match);
	const isBearer = config.bearer_token && createBearerCheck(config.bearer_token);
	let listener: ReturnType<typeof createHttpListener> | undefined;
	let isShutDown = false;

	async function answerTo(request: IncomingMessage): Promise<Answer> {
		if (URL.parse(request.url ?? '', 'http://bridge')?.pathname !== path) return {status: 404, text: `POST to ${path}.`};
		if (request.method !== 'POST') return {status: 405, text: 'The method must be POST.', headers: {Allow: 'POST'}};
		if (isBearer && !isBearer(request.headers.authorization)) {
			return {status: 401, text: 'The request carries no valid bearer token.', headers: {'WWW-Authenticate': 'Bearer'}};
		}
		const body = await readWhole(request, config.max_request_size);
		if (body === undefined) {
			return {status: 413, text: `The body is larger than ${config.max_request_size} bytes: set max_alerts in Alertmanager.`};
		}
		const notification = parseNotification(body.toString('utf8'));
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
			listener = createHttpListener('receivers.alertmanager', config, {
				connections: mostConnections,
				headersMillis: config.request_timeout,
				requestMillis: config.request_timeout,
			});
			listener.server.on('request', (request, response) => {
				serve(request, response).catch(error => {
					log('error', `a notification of Alertmanager could not be answered: ${toError(error).message}`);
					response.destroy();
				});
			});
			await listener.start();
			log('info', `Alertmanager's webhook is taken at ${this.url().href}`);
		},
		async shutdown() {
			isShutDown = true;
			await listener?.shutdown(drainMillis);
		},
		url() {
			if (!listener) throw new BridgeError('ERR_NOT_READY', 'the Alertmanager receiver does not listen yet');
			return listener.url(path);
		},
	};
}

function refusalOf(thrown: unknown): Answer {
	if (isBridgeError(thrown, 'ERR_STORE_FULL', 'ERR_STORE_BUSY', 'ERR_STORE_DAMAGED', 'ERR_SHUTTING_DOWN', 'ERR_NOT_READY'))
		return busy(thrown.message);
	return busy(`The notification could not be kept: ${toError(thrown).message}`);
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
