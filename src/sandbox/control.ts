import type {IncomingMessage, ServerResponse} from 'node:http';
import {z} from 'zod';
import type {SandboxCase} from './cases.ts';
import {readBody, sendJson} from './http.ts';
import {type ModeOptions, type ModeSetting, modeSchema, type SandboxMode} from './modes.ts';
import type {ReceivedEvent} from './record.ts';

export type ControlOptions = {
	mode(): ModeSetting;
	setMode(mode: SandboxMode, options: ModeOptions): void;
	received(): readonly ReceivedEvent[];
	cases(): readonly SandboxCase[];
};

/**
Watches and steers a sandbox that runs alone, over its own port, from this machine only.

	GET /sandbox/received   {"received": [{at, mode, fate, reason, event_type, event_id, asset, asset_id, component, envelope, event}]}
	GET /sandbox/cases      {"cases": [{case_number, event_id, asset, asset_id, code, test, opened_at, received_times}]}
	GET /sandbox/mode       {mode, probability, count, retry_after, delay_ms, error, serial_numbers, event_types, among}
	PUT /sandbox/mode       the same, of which only `mode` is required; answers with what is now in force

Times are RFC 3339 in UTC, `retry_after` is in seconds. Modes strike the event API only, with one exception: while the
certificate is expired, a client of these pages sees that too.
*/
export function createControl({mode: currentMode, setMode, received, cases}: ControlOptions) {
	const pages: Record<string, Record<string, (request: IncomingMessage, response: ServerResponse) => unknown>> = {
		'/sandbox/received': {GET: (_request, response) => sendJson(response, 200, {received: received().map(receivedShape)})},
		'/sandbox/cases': {GET: (_request, response) => sendJson(response, 200, {cases: cases().map(caseShape)})},
		'/sandbox/mode': {GET: (_request, response) => sendJson(response, 200, modeShape(currentMode())), PUT: putMode},
	};

	async function putMode(request: IncomingMessage, response: ServerResponse) {
		const wanted = modeSchema.safeParse(await readJson(request));
		if (!wanted.success) return sendJson(response, 400, {error: z.prettifyError(wanted.error)});
		const {mode, retry_after, delay_ms, serial_numbers, event_types, ...same} = wanted.data;
		const renamed = {
			retryAfterSeconds: retry_after,
			delayMillis: delay_ms,
			serialNumbers: serial_numbers,
			eventTypes: event_types,
		};
		setMode(mode, {...same, ...renamed});
		sendJson(response, 200, modeShape(currentMode()));
	}

	return async function answerControl(path: string, request: IncomingMessage, response: ServerResponse) {
		if (!isLocal(request.socket.remoteAddress))
			return sendJson(response, 403, {error: 'the sandbox is steered from its own machine only'});
		const methods = Object.hasOwn(pages, path) ? pages[path] : undefined;
		if (!methods) return sendJson(response, 404, {error: `there is ${Object.keys(pages).join(', ')}`});
		const answer = methods[request.method ?? ''];
		const allow = Object.keys(methods).join(', ');
		if (!answer) return sendJson(response, 405, {error: `this page takes ${allow}`}, {allow});
		await answer(request, response);
	};
}

const isLocal = (address = ''): boolean => address === '::1' || /^(?:::ffff:)?127\./.test(address);

async function readJson(request: IncomingMessage): Promise<unknown> {
	const bytes = await readBody(request, 64 * 1024);
	try {
		return JSON.parse(new TextDecoder().decode(bytes));
	} catch {
		return undefined;
	}
}

const rfc3339 = (millis: number): string => new Date(millis).toISOString();

const receivedShape = ({at, eventType, eventId, assetId, ...same}: ReceivedEvent) => ({
	at: rfc3339(at),
	event_type: eventType,
	event_id: eventId,
	asset_id: assetId,
	...same,
});

const caseShape = ({caseNumber, eventId, assetId, openedAt, receivedTimes, ...same}: SandboxCase) => ({
	case_number: caseNumber,
	event_id: eventId,
	asset_id: assetId,
	opened_at: rfc3339(openedAt),
	received_times: receivedTimes.map(rfc3339),
	...same,
});

const modeShape = ({retryAfterSeconds, delayMillis, serialNumbers, eventTypes, ...same}: ModeSetting) => ({
	...same,
	retry_after: retryAfterSeconds,
	delay_ms: delayMillis,
	serial_numbers: serialNumbers,
	event_types: eventTypes,
});
