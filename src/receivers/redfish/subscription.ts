import {hash} from 'node:crypto';
import {BridgeError} from '../../errors.ts';
import type {Client} from './client.ts';
import {eventServiceOf} from './follow.ts';
import {type Json, linkIn, textIn} from './json.ts';

/** By this the bridge knows its own subscriptions again, and those of another bridge as another's. */
const prefix = 'callhome-bridge';
const contextOf = (destination: URL): string => `${prefix}:${hash('sha256', tokenOf(destination)).slice(0, 12)}`;
/** The last part of the path, which this bridge alone knows. */
const tokenOf = ({pathname}: URL): string => pathname.split('/').at(-1) ?? '';

const isOwn = ({Context, Destination}: Json, destination: URL): boolean =>
	Context === contextOf(destination) || (Context === prefix && textIn(Destination)?.endsWith(tokenOf(destination)) === true);

type Found = {readonly collection: string; readonly own: readonly Json[]};

/** Undefined where the module has no EventService. */
async function find(client: Client, destination: URL): Promise<Found | undefined> {
	const path = await eventServiceOf(client);
	const service = path === undefined ? undefined : await client.get(path);
	if (!service || service.ServiceEnabled === false) return undefined;
	const collection = linkIn(service.Subscriptions) ?? `${path}/Subscriptions`;
	return {collection, own: (await client.members(collection)).filter(one => isOwn(one, destination))};
}

async function removeAll(client: Client, subscriptions: readonly Json[]): Promise<void> {
	for (const subscription of subscriptions) {
		const link = linkIn(subscription);
		if (link !== undefined) await client.remove(link);
	}
}

/**
Makes the subscription, or adopts the one that is there, and removes what is left of earlier ones: modules have few places.
Where the module has no EventService there is nothing to subscribe to: false.
*/
export async function subscribe(client: Client, destination: URL): Promise<boolean> {
	const found = await find(client, destination);
	if (!found) return false;
	const [kept, ...more] = found.own.filter(({Destination}) => Destination === destination.href);
	if (!kept) await create(client, found.collection, destination);
	await removeAll(client, [...found.own.filter(({Destination}) => Destination !== destination.href), ...more]);
	return true;
}

/** Where events are no longer wanted. */
export async function unsubscribe(client: Client, destination: URL): Promise<void> {
	await removeAll(client, (await find(client, destination))?.own ?? []);
}

/** As today's schema has it; modules from before 2019 want the types of events named. */
async function create(client: Client, collection: string, destination: URL): Promise<void> {
	const common = {Destination: destination.href, Protocol: 'Redfish', Context: contextOf(destination)};
	try {
		await client.create(collection, {...common, EventFormatType: 'Event'});
	} catch (error) {
		if (!(error instanceof BridgeError)) throw error;
		await client.create(collection, {...common, EventTypes: ['Alert', 'StatusChange']});
	}
}
