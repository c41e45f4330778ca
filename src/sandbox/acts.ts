import type {ServerResponse} from 'node:http';
import {setTimeout as pause} from 'node:timers/promises';
import {send, sendJson} from './http.ts';
import type {Act, ModeSetting} from './modes.ts';

export type Scene = {
	readonly response: ServerResponse;
	readonly reply: unknown;
	readonly setting: ModeSetting;
	/** Aborted when the sandbox shuts down. */
	readonly signal: AbortSignal;
	/** Resets the TCP connection under the TLS session. */
	resetConnection(): void;
};

/** In these modes the message goes unread, and nothing comes of it. */
export const ignoringActs: ReadonlySet<Act> = new Set(['throttled', 'unavailable', 'server_error', 'captive_portal', 'reset']);

const loginPage = `<!DOCTYPE html>
<html><head><title>Guest network</title></head>
<body><h1>Welcome</h1><form method="post" action="/login"><button>Accept and continue</button></form></body></html>
`;

const answer = ({response, reply}: Scene) => sendJson(response, 200, reply);
const refuseWith = (status: number, error: string) => (scene: Scene) =>
	sendJson(scene.response, status, {error}, retryAfter(scene));

/** What the client sees of each mode. */
export const perform: {readonly [A in Act]: (scene: Scene) => void | Promise<void>} = {
	normal: answer,
	refused_message: answer,
	event_rejected: answer,
	business_error: answer,
	throttled: refuseWith(429, 'too many requests'),
	unavailable: refuseWith(503, 'service unavailable'),
	server_error: ({response}) => sendJson(response, 500, {error: 'internal server error'}),
	captive_portal: ({response}) => send(response, 200, 'text/html; charset=utf-8', loginPage),
	truncated({response, reply}) {
		const text = JSON.stringify(reply);
		response.writeHead(200, {'content-type': 'application/json', 'content-length': Buffer.byteLength(text) + 1});
		response.write(text.slice(0, text.length / 2), () => response.destroy());
	},
	async slow(scene) {
		const gone = new AbortController();
		scene.response.once('close', () => gone.abort());
		const signal = AbortSignal.any([scene.signal, gone.signal]);
		await pause(scene.setting.delayMillis, undefined, {signal}).then(
			() => answer(scene),
			() => scene.response.destroy(),
		);
	},
	reset: scene => scene.resetConnection(),
	lost_acknowledgement: ({response}) => void response.destroy(),
	malformed_reply: ({response, reply}) => send(response, 200, 'application/json', JSON.stringify(reply).slice(0, -2)),
};

const retryAfter = ({setting}: Scene): Readonly<Record<string, string>> =>
	setting.retryAfterSeconds === undefined ? {} : {'retry-after': String(setting.retryAfterSeconds)};
