import type {SourceParts} from '../../source.ts';
import {eventsTold} from './alert.ts';
import type {Client} from './client.ts';
import {isObject, linkIn, textIn} from './json.ts';
import type {ToEvents} from './owners.ts';
import {createSseReader, type StreamEvent} from './sse.ts';

/** Where the module has its stream, or undefined where it has none. */
export async function streamOf(client: Client): Promise<string | undefined> {
	const service = await client.get((await eventServiceOf(client)) ?? '/redfish/v1/EventService');
	return service?.ServiceEnabled === false ? undefined : textIn(service?.ServerSentEventUri);
}

export async function eventServiceOf(client: Client): Promise<string | undefined> {
	const root = await client.get('/redfish/v1/');
	return linkIn(root?.EventService);
}

/** Keeps what one event tells. What is no event of Redfish, such as a metric report, is passed over. */
export async function keepPayload(payload: unknown, toEvents: ToEvents, parts: SourceParts): Promise<boolean> {
	const told = eventsTold(payload);
	if (!told) return false;
	const now = (parts.now ?? Date.now)();
	if (told.length > 0) await parts.consume(toEvents(told, now));
	return true;
}

/**
Follows the stream until it ends. The id of the last event that is kept is a mark, so that the module can go on after it; what
it no longer knows by then, the logs tell.
*/
export async function follow(client: Client, stream: string, key: string, toEvents: ToEvents, parts: SourceParts): Promise<void> {
	const mark = `${key}/stream`;
	const last = await parts.marks.read(mark);
	// An id is the module's own text: only what a header can carry goes back.
	const headers: Record<string, string> = last !== undefined && /^[\x20-\x7e]+$/.test(last) ? {'last-event-id': last} : {};
	const read = createSseReader();
	let kept = last;
	for await (const piece of await client.stream(stream, headers)) {
		for (const {id, data} of read(piece)) {
			await keepPayload(parsed(data), toEvents, parts);
			if (id !== '' && id !== kept) await parts.marks.write(mark, id);
			kept = id;
		}
	}
}

function parsed(data: StreamEvent['data']): unknown {
	try {
		const value: unknown = JSON.parse(data);
		return isObject(value) ? value : undefined;
	} catch {
		return undefined;
	}
}
