import {z} from 'zod';
import {byteSize, duration, endpoint, isLoopback, machineKeys, publicKeyPin, secret} from '../../settings.ts';

const between = (leastMillis: number, mostMillis: number, range: string) =>
	duration.refine(millis => millis >= leastMillis && millis <= mostMillis, `must be from ${range}`);

const port = z.int().min(1).max(65_535);

const tls = z.strictObject({
	cert_file: z.string().min(1),
	key_file: z.string().min(1),
	/** With it only clients that hold a certificate from this authority are served. */
	client_ca_file: z.string().min(1).optional(),
});

const httpUrl = z
	.string()
	.refine(text => /^https?:\/\//i.test(text) && URL.canParse(text), 'is not a URL: write for example https://192.0.2.7:5990')
	.transform(text => new URL(text));

const systemSchema = z.strictObject({
	/** The management module: a name or an address. */
	host: z.string().min(1).max(255),
	username: z
		.string()
		.min(1)
		.max(255)
		.refine(name => !name.includes(':'), 'must not contain ":": Basic authentication ends the name there'),
	password: secret,
	/** HTTPS. */
	port: port.default(5989),
	/** HTTP, which is tried only with allow_http. */
	http_port: port.default(5988),
	/** Sends the password and the events in the clear where HTTPS is not available. */
	allow_http: z.boolean().default(false),
	/** Who vouches for the module's certificate, instead of the public authorities. */
	ca_file: z.string().min(1).optional(),
	/** The module's own key; then neither its issuer nor its name counts. */
	pin: publicKeyPin.optional(),
	/** `false`: the bridge removes its subscription, after which the system can be taken out of the configuration. */
	subscribe: z.boolean().default(true),
	interop_namespace: z
		.string()
		.regex(/^\/?[\w.-]+(\/[\w.-]+)*$/, 'is not a namespace: write for example root/interop')
		.optional(),
	/** Addresses that it sends from besides those of `host`. */
	addresses: z
		.array(z.union([z.ipv4(), z.ipv6()]))
		.max(20)
		.default([]),
	/** The monitored system's host.name, when it is not that of its management module. */
	name: z.string().min(1).max(255).optional(),
	...machineKeys,
});
export type CimSystem = z.output<typeof systemSchema>;

/** The config key `receivers.cim`. */
export const cimReceiverSchema = z
	.strictObject({
		/** Where indications are taken. */
		endpoint: endpoint.prefault('127.0.0.1:5990'),
		tls: tls.optional(),
		/** Who may send: the systems below, or whoever reaches the endpoint. By default the systems, and on loopback anyone. */
		clients: z.enum(['systems', 'any']).optional(),
		/** Serves whoever asks, although it listens beyond loopback. */
		insecure: z.boolean().default(false),
		/** How the systems reach the endpoint; an address is better than a name, for many modules look none up. */
		destination_url: httpUrl.optional(),
		systems: z.array(systemSchema).max(10_000).default([]),
		query: z.string().min(1).max(2000).default('SELECT * FROM CIM_AlertIndication'),
		check_interval: between(100, 86_400_000, '100ms to 1d').prefault('5m'),
		/** For one answer of a management module, which may be slow. */
		request_timeout: between(100, 600_000, '100ms to 10m').prefault('60s'),
		/** A refused login is not tried again before, unless the configuration changes: modules lock accounts. */
		refused_pause: between(100, 30 * 86_400_000, '100ms to 30d').prefault('24h'),
		/** Systems that are checked at the same time. */
		concurrency: z.int().min(1).max(1000).default(20),
		max_request_size: byteSize
			.refine(bytes => bytes >= 4096 && bytes <= 64 * 1024 ** 2, 'must be from 4KiB to 64MiB')
			.prefault('1MiB'),
		/** For a sender to be answered; the slowest known senders give up after 10 s. */
		answer_timeout: between(100, 60_000, '100ms to 60s').prefault('8s'),
		max_connections: z.int().positive().default(1000),
	})
	.superRefine(({endpoint, tls, clients, insecure, destination_url, systems}, context) => {
		const issue = (path: (string | number)[], message: string) => context.addIssue({code: 'custom', path, message});
		const open = clients === 'any' || systems.length === 0;
		if (!isLoopback(endpoint) && open && !insecure && !tls?.client_ca_file)
			issue(
				['endpoint'],
				`${endpoint.host} is beyond loopback: set clients: systems with systems, or tls.client_ca_file, or say insecure: true`,
			);
		const seen = new Set<string>();
		for (const [index, {host, port}] of systems.entries()) {
			const key = `${host.toLowerCase()}:${port}`;
			if (seen.has(key)) issue(['systems', index, 'host'], `${key} is listed twice`);
			seen.add(key);
		}
		if (destination_url || systems.length === 0) return;
		if (['0.0.0.0', '::'].includes(endpoint.host))
			issue(['destination_url'], `is missing: ${endpoint.host} is no address to send to`);
		else if (isLoopback(endpoint) && systems.some(({host}) => !isLoopback({host, port: 0})))
			issue(['destination_url'], `is missing: management modules cannot send to ${endpoint.host}`);
	});
export type CimConfig = z.output<typeof cimReceiverSchema>;

/** Whether an address beside those of the systems is turned away. */
export const isForSystemsOnly = ({clients, endpoint, insecure, tls}: CimConfig): boolean =>
	clients === undefined ? !isLoopback(endpoint) && !insecure && !tls?.client_ca_file : clients === 'systems';
