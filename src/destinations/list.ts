import {type Destination, type Purpose, purposes, type Server} from '../destination.ts';
import type {DestinationsConfig} from './config.ts';
import {listOf} from './table.ts';

const [esupport] = listOf('today')[0]?.servers ?? [];

const urlOf = ({host, ports, path}: Server): string => `https://${host.includes(':') ? `[${host}]` : host}:${ports[0]}${path}`;

function serverOf(endpoint: URL): Server {
	const host = endpoint.hostname.replace(/^\[|\]$/g, '');
	const path = endpoint.pathname + endpoint.search;
	const usual = endpoint.protocol === 'http:' ? 80 : 443;
	return {host, ports: [endpoint.port === '' ? usual : Number(endpoint.port)], addresses: [], path};
}

/** Where updates are fetched, from `destinations.updates`: over HTTPS, and over plain HTTP when that fails. */
export type UpdateSource = {readonly url: URL; readonly http_url?: URL | undefined};

/**
Where each kind of message goes: the lists of the file, else those of the generation it names. An endpoint of the exporter's own
is the primary of what the exporter sends, and IBM's servers are no backups of it: it may be a test space.
*/
export function destinationsOf(
	config: DestinationsConfig & {readonly updates?: UpdateSource | undefined},
	{endpoint}: {readonly endpoint?: URL | undefined} = {},
): readonly Destination[] {
	const own = endpoint && serverOf(endpoint);
	const primary = own && esupport && urlOf(own) !== urlOf(esupport) ? [own] : [];
	const updates = [config.updates?.url, config.updates?.http_url].filter(url => url !== undefined).map(serverOf);
	const first = {
		problem_reporting: primary,
		service_information: primary,
		extended_error_data: [],
		configuration_updates: updates,
	};
	const published = listOf(config.generation);
	return purposes.flatMap((purpose): Destination[] => {
		const servers = [...first[purpose], ...(config[purpose] ?? [])];
		if (servers.length > 0) return [{purpose, generation: 'configured', servers: withoutRepeats(servers)}];
		return published.filter(destination => destination.purpose === purpose);
	});
}

const withoutRepeats = (servers: readonly Server[]): Server[] =>
	servers.filter((server, index) => servers.findIndex(other => urlOf(other) === urlOf(server)) === index);

/** The servers of those purposes that an update changes. */
export type ChangedServers = {readonly [purpose in Purpose]?: readonly Server[] | undefined};

/** A signed update replaces what was published; what the operator wrote stays. Always applied to what `destinationsOf` gives. */
export function applyUpdate(destinations: readonly Destination[], update: ChangedServers): readonly Destination[] {
	return purposes.flatMap((purpose): Destination[] => {
		const now = destinations.filter(destination => destination.purpose === purpose);
		const servers = update[purpose];
		const isOperators = now.some(({generation}) => generation === 'configured');
		return servers === undefined || isOperators ? now : [{purpose, generation: 'updated', servers}];
	});
}

/** The primary, then its backups; none where nothing is known for the purpose. */
export const serversFor = (destinations: readonly Destination[], purpose: Purpose): readonly Server[] =>
	destinations.filter(destination => destination.purpose === purpose).flatMap(({servers}) => servers);

/** What `without_dns` falls back to: the listed addresses of a name. */
export const addressesOf = (destinations: readonly Destination[], host: string): readonly string[] => [
	...new Set(
		destinations
			.flatMap(({servers}) => servers)
			.filter(server => server.host === host.toLowerCase())
			.flatMap(({addresses}) => addresses),
	),
];
