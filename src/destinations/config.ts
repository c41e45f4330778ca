import {z} from 'zod';
import type {Purpose, Server} from '../destination.ts';
import {address, dnsServer, host, port} from './host.ts';
import {generations} from './table.ts';

const mostServers = 16;
const mostAddresses = 16;
const plainHttp = 80;

/** What is asked for at a server that is named without a path: as at today's server of this purpose. */
const usualPath: Record<Purpose, string> = {
	problem_reporting: '/connect/api/v1',
	service_information: '/connect/api/v1',
	extended_error_data: '/app',
	configuration_updates: '',
};

const path = z
	.string()
	.max(500)
	.regex(/^\/[\w.~!$&'()*+,;=:@%/-]*$/, 'is not the path of a URL: it begins with "/" and has no "?", "#" or blank in it');

const httpsPort = port.refine(
	number => number !== plainHttp,
	'is plain HTTP, which only configuration_updates may use: nothing is ever uploaded over it',
);

const serverSchema = (purpose: Purpose) =>
	z.strictObject({
		host,
		port: (purpose === 'configuration_updates' ? port : httpsPort).default(443),
		/** Used when a name cannot be resolved and `without_dns` says so, and shown to firewall teams. */
		addresses: z.array(address).max(mostAddresses).default([]),
		path: path.default(usualPath[purpose]),
	});

/** The primary, then its backups. */
const serversSchema = (purpose: Purpose) =>
	z
		.array(serverSchema(purpose))
		.min(1, 'needs at least one server')
		.max(mostServers)
		.refine(([primary]) => primary?.port !== plainHttp || purpose !== 'configuration_updates', {
			path: [0, 'port'],
			error: 'is plain HTTP, which is only a backup: name a server with HTTPS before it',
		})
		.transform(servers => servers.map(({port, ...rest}): Server => ({...rest, ports: [port]})));

const ownLists = {
	problem_reporting: serversSchema('problem_reporting').optional(),
	service_information: serversSchema('service_information').optional(),
	extended_error_data: serversSchema('extended_error_data').optional(),
	configuration_updates: serversSchema('configuration_updates').optional(),
} satisfies Record<Purpose, unknown>;

/** `destinations` of the config file. */
export const destinationsSchema = z.strictObject({
	/** Which published list holds where the file has no list of its own. */
	generation: z.enum(generations).default('today'),
	/** For a site without DNS: a name that cannot be resolved is reached at its listed addresses. */
	without_dns: z.boolean().default(false),
	/** For a tunnel on this machine: a name may resolve to a loopback address. */
	allow_loopback: z.boolean().default(false),
	/** HOST:PORT of the servers that are asked instead of the system's resolver. */
	dns_servers: z.array(dnsServer).max(8).default([]),
	...ownLists,
});
export type DestinationsConfig = z.output<typeof destinationsSchema>;

/** What a signed update may change: the servers of some purposes, in the form of the config file. */
export const destinationUpdateSchema = z
	.strictObject(ownLists)
	.refine(lists => Object.values(lists).some(servers => servers !== undefined), 'changes the servers of no purpose');
export type DestinationUpdate = z.output<typeof destinationUpdateSchema>;
