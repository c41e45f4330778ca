import {BridgeError} from '../../errors.ts';
import type {Client} from './client.ts';
import {eventServiceOf} from './follow.ts';
import {linkIn, textIn} from './json.ts';

/** By this the bridge knows its own subscriptions again. */
const context = 'callhome-bridge';

/**
Makes the subscription, or adopts the one that is there, and removes what is left of earlier ones: modules have few places.
Where the module has no EventService there is nothing to subscribe to: false.
*/
export async function subscribe(client: Client, destination: URL): Promise<boolean> {
	const path = await eventServiceOf(client);
	const service = path === undefined ? undefined : await client.get(path);
	if (!service || service.ServiceEnabled === false) return false;
	const collection = linkIn(service.Subscriptions) ?? `${path}/Subscriptions`;
	const own = (await client.members(collection)).filter(({Context}) => textIn(Context)?.startsWith(context));
	const [kept, ...more] = own.filter(({Destination}) => Destination === destination.href);
	const strays = own.filter(({Destination}) => Destination !== destination.href);
	if (!kept) await create(client, collection, destination);
	for (const stray of [...strays, ...more]) {
		const link = linkIn(stray);
		if (link !== undefined) await client.remove(link);
	}
	return true;
}

/** As today's schema has it; modules from before 2019 want the types of events named. */
async function create(client: Client, collection: string, destination: URL): Promise<void> {
	const common = {Destination: destination.href, Protocol: 'Redfish', Context: context};
	try {
		await client.create(collection, {...common, EventFormatType: 'Event'});
	} catch (error) {
		if (!(error instanceof BridgeError)) throw error;
		await client.create(collection, {...common, EventTypes: ['Alert', 'StatusChange']});
	}
}
