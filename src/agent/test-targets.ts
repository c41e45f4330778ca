import {probeOf} from '../../exporters/call-home-connect/probe.ts';
import type {Destination} from '../destination.ts';
import {addressOf, authority} from '../sending/address.ts';
import type {Probes} from '../sending/doctor/diagnosis.ts';

/**
The servers of the event API are asked what a submission would meet there, with a message that says nothing. The others are only
asked for HTTP: no question is known that leaves nothing behind.
*/
export function questionsTo(endpoint: URL): Probes {
	return ({host, port, purposes}) => {
		if (!purposes.includes('problem_reporting')) return undefined;
		const url = new URL(endpoint);
		url.host = authority({host, port});
		return probeOf({endpoint: url});
	};
}

/** The sandbox stands for the event API alone. */
export function sandboxAt(endpoint: URL): readonly Destination[] {
	const {host, port} = addressOf(endpoint);
	const server = {host, ports: [port], addresses: [], path: endpoint.pathname};
	return (['problem_reporting', 'service_information'] as const).map(purpose => ({
		purpose,
		generation: 'configured',
		servers: [server],
	}));
}
