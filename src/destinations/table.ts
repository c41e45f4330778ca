import type {Destination, Server} from '../destination.ts';

/** The two lists that are published. Neither is written into code elsewhere: an address that changes needs no new release (S70). */
export const generations = ['today', 'white_paper_2015'] as const;
export type Generation = (typeof generations)[number];

/** Where the addresses of a list were published, and when: they age faster than names. */
export const publishedIn: Record<Generation, string> = {
	today: "IBM's page on the connectivity of its Technical Support Appliance, as read in November 2026",
	white_paper_2015: "IBM's white paper on the connectivity security of ESA 7.1.5, July 2015",
};

const server = (host: string, addresses: readonly string[], rest: Partial<Server> = {}): Server => ({
	host,
	ports: [443],
	addresses,
	path: '',
	...rest,
});

/** Call Home Connect: one URL for every type of event. The address is the one published for it; IBM says to use the name. */
const esupport = server('esupport.ibm.com', ['192.148.6.11'], {path: '/connect/api/v1'});

/**
What open clients of IBM use now. No list of addresses is published for the uploads, so there is none. IBM has no updates
for a client such as this one: the servers of `configuration_updates` come from the configuration.
*/
const today: readonly Destination[] = [
	// URL: sources of the Ceph agent, IBM i and VIOS download modules. Address: Technical Support Appliance, connectivity.
	{purpose: 'problem_reporting', generation: 'today', servers: [esupport]},
	// The same host and URL as for problems: the same three clients.
	{purpose: 'service_information', generation: 'today', servers: [esupport]},
	{
		purpose: 'extended_error_data',
		generation: 'today',
		servers: [
			server('www.ecurep.ibm.com', [], {path: '/app'}), // Default of the newer Ceph agent.
			server('www.secure.ecurep.ibm.com', [], {path: '/app'}), // Default of the older one.
		],
	},
];

/**
Table 1 of the white paper, rows a to k. It publishes no paths. A name with several addresses is one server; the gateways a and
b back each other up, f and g take in the same, and so do h and i (S44).
*/
const whitePaper2015: readonly Destination[] = [
	{
		purpose: 'problem_reporting',
		generation: 'white_paper_2015',
		servers: [server('www-945.ibm.com', ['129.42.26.224', '129.42.50.224', '129.42.42.224'])], // Rows c, d, e.
	},
	{
		purpose: 'service_information',
		generation: 'white_paper_2015',
		servers: [
			server('eccgw01.boulder.ibm.com', ['207.25.252.197']), // Row a.
			server('eccgw02.rochester.ibm.com', ['129.42.160.51']), // Row b.
		],
	},
	{
		purpose: 'extended_error_data',
		generation: 'white_paper_2015',
		servers: [
			server('www6.software.ibm.com', ['170.225.15.41']), // Row f.
			server('www.ecurep.ibm.com', ['192.109.81.20']), // Row g.
		],
	},
	{
		purpose: 'configuration_updates',
		generation: 'white_paper_2015',
		servers: [
			server('www-03.ibm.com', ['204.146.30.17'], {ports: [443, 80]}), // Row h.
			server('www.ibm.com', ['129.42.54.216', '129.42.56.216', '129.42.60.216'], {ports: [443, 80]}), // Rows i, j, k.
		],
	},
];

const lists: Record<Generation, readonly Destination[]> = {today, white_paper_2015: whitePaper2015};

/** The list of one generation, as published. */
export const listOf = (generation: Generation): readonly Destination[] => lists[generation];
