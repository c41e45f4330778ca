import {type Destination, type Purpose, trafficOf} from '../../destination.ts';
import {authority} from '../address.ts';
import type {ExaminedConnection, Target} from './diagnosis.ts';

const plainHttp = 80;

/**
Each server once, with all that goes there, in the order in which the destinations name them. Plain HTTP is left out: it is only
the last resort of downloads, and `callhome firewall` lists it.
*/
export function targetsOf(destinations: readonly Destination[]): readonly Target[] {
	const found = new Map<string, Target>();
	for (const {purpose, servers} of destinations) {
		for (const {host, ports, addresses, path} of servers) {
			const port = ports.find(number => number !== plainHttp);
			if (port === undefined) continue;
			const before = found.get(authority({host, port}));
			found.set(authority({host, port}), {
				host,
				port,
				path: before?.path ?? path,
				addresses: [...new Set([...(before?.addresses ?? []), ...addresses])],
				purposes: [...new Set([...(before?.purposes ?? []), purpose])],
			});
		}
	}
	return [...found.values()];
}

/** What the connection may carry to the server. */
export const carriedBy = ({traffic}: ExaminedConnection, {purposes}: Target): readonly Purpose[] =>
	purposes.filter(purpose => traffic.includes(trafficOf[purpose]));
