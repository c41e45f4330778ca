import {createCipheriv} from 'node:crypto';
import {z} from 'zod';
import {byteSize, duration, endpoint, isLoopback, machineKeys, secret} from '../../settings.ts';
import {network} from './clients.ts';

const between = (leastMillis: number, mostMillis: number, range: string) =>
	duration.refine(millis => millis >= leastMillis && millis <= mostMillis, `must be from ${range}`);

const passphrase = secret.refine(value => value.reveal().length >= 8, 'has fewer than the 8 characters that SNMPv3 demands');

/** OpenSSL has DES among its legacy algorithms, which Node loads only when it is told to. */
function hasDes(): boolean {
	try {
		createCipheriv('des-cbc', Buffer.alloc(8), Buffer.alloc(8));
		return true;
	} catch {
		return false;
	}
}

/** A user of SNMPv3. Without passwords it proves nothing. */
const userSchema = z
	.strictObject({
		name: z.string().min(1).max(32),
		auth_protocol: z.enum(['md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512']).default('sha'),
		auth_password: passphrase.optional(),
		/** AES with 256 bits as Blumenthal or as Reeder make the key. */
		priv_protocol: z
			.enum(['aes', 'aes256b', 'aes256r', 'des'])
			.refine(
				protocol => protocol !== 'des' || hasDes(),
				'des works only when Node runs with --openssl-legacy-provider: use aes where the module can',
			)
			.default('aes'),
		priv_password: passphrase.optional(),
	})
	.refine(({auth_password, priv_password}) => auth_password !== undefined || priv_password === undefined, {
		path: ['priv_password'],
		message: 'needs auth_password: SNMPv3 has no privacy without authentication',
	});
export type SnmpUser = z.output<typeof userSchema>;

const trapUserSchema = userSchema.safeExtend({
	/** Traps of this user are taken from the engine with this id alone. */
	engine_id: z
		.string()
		.regex(/^(0x)?([0-9a-fA-F]{2}){5,32}$/, 'is not an engine id: 10 to 64 hexadecimal digits')
		.transform(text => text.replace(/^0x/, '').toLowerCase())
		.optional(),
	/** Refuses what is older, by its engine's own clock, than the time window allows (RFC 3414). */
	check_time: z.boolean().default(true),
});

const trapsSchema = z
	.strictObject({
		endpoint: endpoint.prefault('127.0.0.1:1162'),
		/** Of SNMPv1 and v2c. They travel in the clear. */
		communities: z.array(secret).max(1000).default([]),
		users: z.array(trapUserSchema).max(1000).default([]),
		/** From where traps are taken; without entries from everywhere. */
		clients: z.array(network).max(1000).default([]),
		/** Takes communities, or users without a password, from whoever sends, although it listens beyond loopback. */
		insecure: z.boolean().default(false),
		/** What the kernel is asked for; it gives no more than net.core.rmem_max. */
		receive_buffer: byteSize.refine(bytes => bytes >= 65_536 && bytes <= 2 ** 30, 'must be from 64KiB to 1GiB').prefault('4MiB'),
		/** Traps that wait in memory for the disk. What comes beyond them is counted as lost. */
		queue_size: z.int().min(100).max(1_000_000).default(50_000),
	})
	.superRefine((config, context) => {
		const {communities, users, clients, insecure} = config;
		if (communities.length === 0 && users.length === 0)
			context.addIssue({code: 'custom', message: 'names nobody who may send: set communities (v1, v2c) or users (v3)'});
		const isWeak = communities.length > 0 || users.some(({auth_password}) => auth_password === undefined);
		if (!isWeak || clients.length > 0 || insecure || isLoopback(config.endpoint)) return;
		const message = `${config.endpoint.host} is beyond loopback, and a community is a weak proof: set clients, or say insecure: true`;
		context.addIssue({code: 'custom', path: ['endpoint'], message});
	});
export type TrapsConfig = z.output<typeof trapsSchema>;

const hostSchema = z
	.strictObject({
		/** A name or an address. */
		host: z.string().min(1).max(255),
		port: z.int().min(1).max(65_535).default(161),
		version: z.enum(['1', '2c', '3']).default('3'),
		community: secret.optional(),
		user: userSchema.optional(),
		profile: z.enum(['imm', 'xcc']).default('imm'),
		/** The monitored system's host.name, when it is not that of its management module. */
		name: z.string().min(1).max(255).optional(),
		...machineKeys,
	})
	.refine(({version, community}) => version === '3' || community !== undefined, {
		path: ['community'],
		message: 'is missing: versions 1 and 2c need one',
	})
	.refine(({version, user}) => version !== '3' || user !== undefined, {
		path: ['user'],
		message: 'is missing: version 3 needs one',
	});
export type PolledHost = z.output<typeof hostSchema>;

const pollSchema = z.strictObject({
	interval: between(100, 86_400_000, '100ms to 1d').prefault('1m'),
	/** For the answer to one request. */
	timeout: between(10, 60_000, '10ms to 60s').prefault('5s'),
	/** Of a request that was not answered. */
	retries: z.int().min(0).max(10).default(1),
	/** A host that does not answer is asked ever less often, down to once in this time. */
	max_interval: between(100, 7 * 86_400_000, '100ms to 7d').prefault('15m'),
	/** A part that is well again has to stay so for this long before that is told: one that flickers is one fault. */
	recovery_delay: between(0, 86_400_000, '0s to 1d').prefault('5m'),
	/** A user of version 3 that was refused is not tried again before, also by a restart, unless it changes. */
	refused_pause: between(100, 30 * 86_400_000, '100ms to 30d').prefault('24h'),
	/** Hosts that are asked at the same time. */
	concurrency: z.int().min(1).max(10_000).default(200),
	/** Rows that one request asks for. */
	max_repetitions: z.int().min(1).max(100).default(12),
	hosts: z
		.array(hostSchema)
		.max(100_000)
		.default([])
		.superRefine((hosts, context) => {
			const seen = new Set<string>();
			for (const [index, {host, port}] of hosts.entries()) {
				const key = `${host.toLowerCase()}:${port}`;
				if (seen.has(key)) context.addIssue({code: 'custom', path: [index, 'host'], message: `${key} is listed twice`});
				seen.add(key);
			}
		}),
});
export type PollConfig = z.output<typeof pollSchema>;

/** The config key `receivers.snmp`. Without `traps` nothing listens, without `poll` nothing is asked. */
export const snmpReceiverSchema = z.strictObject({traps: trapsSchema.optional(), poll: pollSchema.optional()});
export type SnmpReceiverConfig = z.output<typeof snmpReceiverSchema>;
