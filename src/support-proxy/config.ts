import {z} from 'zod';
import {byteSize, duration, endpoint, isLoopback, secret} from '../settings.ts';
import {type Network, networkOf} from './addresses.ts';

const time = (leastMillis: number, mostMillis: number, range: string) =>
	duration.refine(millis => millis >= leastMillis && millis <= mostMillis, `must be from ${range}`);

const network = z.string().transform((value, context): Network => {
	const parsed = networkOf(value);
	if (parsed) return parsed;
	const message = `"${value}" is not an address or a network: write for example 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32`;
	context.addIssue({code: 'custom', message});
	return z.NEVER;
});

const credentials = z.strictObject({
	username: z
		.string()
		.min(1)
		.max(255)
		.regex(/^[^:\p{Cc}]+$/u, 'has a ":" or a control character, which Basic authentication cannot carry'),
	password: secret.refine(value => !/\p{Cc}/u.test(value.reveal()), 'has a control character'),
});

const day = 86_400_000;

const limitsSchema = z.strictObject({
	/** Of clients, those that only ask included. */
	connections: z.int().min(1).max(100_000).default(2000),
	/** Of one address; of IPv6 of one /64, for a machine has as many addresses as it likes. */
	connections_per_client: z.int().min(1).max(100_000).default(200),
	/** Both directions together. */
	bytes_per_tunnel: byteSize.prefault('8GiB'),
	tunnel_lifetime: time(100, 7 * day, '100ms to 7d').prefault('12h'),
	/** Without a byte in either direction. It also ends a tunnel of which one direction is closed. */
	idle_timeout: time(50, day, '50ms to 1d').prefault('5m'),
	header_size: byteSize.refine(bytes => bytes >= 512 && bytes <= 256 * 1024, 'must be from 512 to 256KiB').prefault('16KiB'),
	/** From the connection to the end of the request's header. */
	headers_timeout: time(50, 600_000, '50ms to 10m').prefault('10s'),
	/** From the request to the connection to the destination, over all service connections that are tried. */
	open_timeout: time(50, 600_000, '50ms to 10m').prefault('45s'),
});
export type Limits = z.output<typeof limitsSchema>;

/** The config key `support_proxy`. Without it there is no support proxy. */
export const supportProxySchema = z
	.strictObject({
		endpoint: endpoint.prefault('127.0.0.1:5026'),
		/** Who may use it; without entries nobody is asked. */
		basic_auth: z.array(credentials).max(1000).default([]),
		/** From where it may be used; without entries from everywhere. */
		clients: z.array(network).max(1000).default([]),
		/** Serves whoever reaches it, although it listens beyond loopback. */
		insecure: z.boolean().default(false),
		/** Which lists of destinations pass. Agents of old know only that of 2015. What the configuration lists always passes. */
		generations: z
			.array(z.enum(['today', 'white_paper_2015']))
			.min(1)
			.default(['today', 'white_paper_2015']),
		limits: limitsSchema.prefault({}),
	})
	.superRefine((config, context) => {
		if (config.basic_auth.length > 0 || config.insecure || isLoopback(config.endpoint)) return;
		const also = config.clients.length > 0 ? ' (clients alone do not say who asks)' : '';
		context.addIssue({
			code: 'custom',
			path: ['endpoint'],
			message: `${config.endpoint.host} is beyond loopback: set basic_auth, or say insecure: true${also}`,
		});
	});
export type SupportProxyConfig = z.output<typeof supportProxySchema>;
