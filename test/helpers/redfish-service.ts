import type {IncomingMessage, RequestListener, ServerResponse} from 'node:http';
import {text} from 'node:stream/consumers';

type Json = {readonly [key: string]: unknown};
export const at = (path: string) => ({'@odata.id': path});

/**
A Redfish service below HTTP: pages that the test changes as it goes, an EventService that takes subscriptions and posts to
them, and a stream of server-sent events. DSP0266, sections "Eventing" and "Server-sent events".
*/
export function createRedfishService(pages: Record<string, Json>, {stream = true, push = true} = {}) {
	const subscriptions = new Map<string, Json>();
	const streams = new Set<ServerResponse>();
	const asked: {method: string; path: string; lastEventId: string | undefined}[] = [];
	let status = 200;
	let number = 0;

	const events = '/redfish/v1/EventService';
	const own = (): Record<string, Json> => ({
		'/redfish/v1/': {...(push || stream ? {EventService: at(events)} : {}), ...pages['/redfish/v1/']},
		[events]: {
			ServiceEnabled: true,
			...(push ? {Subscriptions: at(`${events}/Subscriptions`)} : {}),
			...(stream ? {ServerSentEventUri: `${events}/SSE`} : {}),
		},
		[`${events}/Subscriptions`]: {Members: [...subscriptions.keys()].map(at)},
		...Object.fromEntries(subscriptions),
	});

	const listener: RequestListener = async (request: IncomingMessage, response: ServerResponse) => {
		const {method = '', url: path = '', headers} = request;
		asked.push({method, path, lastEventId: headers['last-event-id'] as string | undefined});
		if (status !== 200) return void response.writeHead(status).end();
		if (stream && path === `${events}/SSE`) {
			response.writeHead(200, {'content-type': 'text/event-stream'}).write(': hello\n\n');
			streams.add(response.on('close', () => streams.delete(response)));
			return;
		}
		if (push && method === 'POST' && path === `${events}/Subscriptions`) {
			const location = `${events}/Subscriptions/${++number}`;
			subscriptions.set(location, {...JSON.parse(await text(request)), ...at(location)});
			return void response.writeHead(201, {location}).end();
		}
		if (method === 'DELETE') return void response.writeHead(subscriptions.delete(path) ? 204 : 404).end();
		const page = own()[path] ?? pages[path];
		response.writeHead(page ? 200 : 404, {'content-type': 'application/json'}).end(JSON.stringify(page ?? {}));
	};

	return {
		listener,
		pages,
		subscriptions,
		streams,
		asked,
		answerWith(code: number) {
			status = code;
		},
		/** To everybody who follows the stream. */
		say(id: string, payload: unknown) {
			const data = JSON.stringify(payload, undefined, 1).split('\n');
			for (const response of streams) response.write(`id: ${id}\n${data.map(line => `data: ${line}\n`).join('')}\n`);
		},
		endStreams() {
			for (const response of streams) response.end();
		},
		/** To everybody who has subscribed. Answers their status codes. */
		async post(payload: unknown): Promise<number[]> {
			const destinations = [...subscriptions.values()].map(({Destination}) => String(Destination));
			const body = JSON.stringify(payload);
			const headers = {'content-type': 'application/json'};
			return Promise.all(destinations.map(async url => (await fetch(url, {method: 'POST', body, headers})).status));
		},
	};
}

/** A machine with one log and one fan, as older firmware shows it. */
export const machinePages = (entries: readonly Json[] = [], health = 'OK'): Record<string, Json> => ({
	'/redfish/v1/Systems': {Members: [at('/redfish/v1/Systems/1')]},
	'/redfish/v1/Systems/1': {
		...at('/redfish/v1/Systems/1'),
		Manufacturer: 'IBM',
		Model: '8871-AC1',
		SerialNumber: 'J1A2B3C',
		HostName: 'db01',
		LogServices: at('/logs'),
	},
	'/logs': {Members: [at('/logs/sel')]},
	'/logs/sel': {...at('/logs/sel'), Entries: at('/entries')},
	'/entries': {Members: entries},
	'/redfish/v1/Chassis': {Members: [at('/redfish/v1/Chassis/1')]},
	'/redfish/v1/Chassis/1': {...at('/redfish/v1/Chassis/1'), Thermal: at('/thermal')},
	'/thermal': {
		Fans: [
			{
				...at('/redfish/v1/Chassis/1/Thermal#/Fans/0'),
				Name: 'Fan 1',
				Reading: 4000,
				ReadingUnits: 'RPM',
				Status: {Health: health},
			},
		],
	},
});
