import {isIP} from 'node:net';
import {z} from 'zod';
import {type Traffic, traffics} from '../destination.ts';
import {duration} from '../settings.ts';
import {authority} from './address.ts';
import type {Family} from './names.ts';
import {type PacConfig, pacShape, toPacConfig} from './pac-config.ts';
import {type ProxyConfig, proxyUrl} from './proxy-url.ts';

/** Where a connection leads. A proxy whose URL is empty is not configured: the next connection has its turn. */
export type Way =
	| {readonly kind: 'direct'}
	| {readonly kind: 'proxy'; readonly proxy: ProxyConfig | undefined}
	| ({readonly kind: 'pac'} & PacConfig)
	| {readonly kind: 'from_environment'; readonly allowDirect: boolean};

/** One way out, as configured. */
export type ConnectionConfig = {
	/** Unique. */
	readonly name: string;
	readonly for: readonly Traffic[];
	readonly family: Family;
	readonly localAddress?: string;
	readonly interface?: string;
	/** Milliseconds that each stage may take. */
	readonly stageMillis: number;
	readonly way: Way;
};

const text = z.string().min(1).max(256);

/** What every connection takes, beside its kind or among the settings of its kind. */
const settings = z.strictObject({
	name: text.regex(/^\P{C}*$/u, 'has a control character in it').optional(),
	for: z
		.array(z.enum(traffics))
		.min(1, `needs at least one of ${traffics.join(', ')}`)
		.optional(),
	family: z.enum(['ipv4', 'ipv6', 'any']).optional(),
	local_address: text.refine(address => isIP(address) !== 0, 'is not an IP address').optional(),
	interface: text.optional(),
	connect_timeout: duration.refine(millis => millis >= 100 && millis <= 120_000, 'must be from 100ms to 2m').optional(),
});
type Settings = z.output<typeof settings>;

const kinds = z.strictObject({
	direct: settings.optional(),
	proxy: settings.extend({url: proxyUrl, ca_file: text.optional()}).optional(),
	pac: settings.extend(pacShape).optional(),
	from_environment: settings.extend({allow_direct: z.boolean().default(false)}).optional(),
});
type Kinds = z.output<typeof kinds>;
const kindNames = Object.keys(kinds.shape) as (keyof Kinds)[];

/** Says what is wrong, and where below the entry. */
type Blame = (path: readonly string[], message: string) => void;

const connectionSchema = settings.extend(kinds.shape).transform((entry, context): ConnectionConfig => {
	let isWrong = false;
	const blame: Blame = (path, message) => {
		isWrong = true;
		context.addIssue({code: 'custom', path: [...path], message});
	};
	const [kind, ...others] = kindNames.filter(name => entry[name] !== undefined);
	if (kind === undefined || others.length > 0) {
		blame([], `is to have exactly one of ${kindNames.join(', ')}: each way out is an entry of its own`);
		return z.NEVER;
	}
	const way = toWay(entry, blame);
	const merged = merge(entry, kind, blame);
	return isWrong ? z.NEVER : {...merged, name: merged.name ?? usualName(way), way};
});

function toWay({proxy, pac, from_environment}: Kinds, blame: Blame): Way {
	if (proxy) return {kind: 'proxy', proxy: toProxy(proxy, blame)};
	if (pac) return {kind: 'pac', ...toPacConfig(pac, (key, message) => blame(key === '' ? ['pac'] : ['pac', key], message))};
	if (from_environment) return {kind: 'from_environment', allowDirect: from_environment.allow_direct};
	return {kind: 'direct'};
}

function toProxy({url, ca_file}: NonNullable<Kinds['proxy']>, blame: Blame): ProxyConfig | undefined {
	if (!url || ca_file === undefined) return url;
	if (url.protocol === 'https') return {...url, caFile: ca_file};
	const message =
		'is only of use for an https:// proxy; for a proxy that opens the TLS to the destination, set the ca_file of the exporter';
	blame(['proxy', 'ca_file'], message);
	return undefined;
}

/** An unset proxy has no name yet: the list gives it one. */
function usualName(way: Way): string {
	if (way.kind === 'proxy') return way.proxy ? `proxy ${authority(way.proxy)}` : '';
	return way.kind === 'from_environment' ? 'environment' : way.kind;
}

function merge(entry: Settings & Kinds, kind: keyof Kinds, blame: Blame) {
	const inside: Settings = entry[kind] ?? {};
	for (const key of settings.keyof().options) {
		if (entry[key] !== undefined && inside[key] !== undefined) blame([key], `is written beside ${kind} and in it: keep one`);
	}
	const pick = <Key extends keyof Settings>(key: Key): Settings[Key] => inside[key] ?? entry[key];
	const [localAddress, device] = [pick('local_address'), pick('interface')];
	if (localAddress !== undefined && device !== undefined) blame(['interface'], 'goes without local_address: give one of them');
	return {
		name: pick('name'),
		for: traffics.filter(traffic => pick('for')?.includes(traffic) ?? true),
		family: familyOf(pick('family'), localAddress, blame),
		...(localAddress !== undefined && {localAddress}),
		...(device !== undefined && {interface: device}),
		stageMillis: pick('connect_timeout') ?? 5000,
	};
}

/** Nothing goes from an address of one family to one of the other. */
function familyOf(wanted: Family | undefined, localAddress: string | undefined, blame: Blame): Family {
	if (localAddress === undefined) return wanted ?? 'ipv4';
	const family = isIP(localAddress) === 6 ? 'ipv6' : 'ipv4';
	if (wanted !== undefined && wanted !== 'any' && wanted !== family) {
		blame(['family'], `is ${wanted}, and local_address is an ${family} address: they have to fit`);
	}
	return family;
}

/** `connections` of the config file: the ways out, in the order in which they are tried. */
export const connectionsSchema = z
	.array(connectionSchema)
	.min(1, 'needs at least one entry, such as "direct: {}"')
	.transform((connections, context): readonly ConnectionConfig[] => {
		const named = connections.map((config, index) => ({...config, name: config.name || `proxy ${index + 1}`}));
		for (const [index, {name}] of named.entries()) {
			if (named.findIndex(other => other.name === name) === index) continue;
			const message = `is the second one called "${name}": set name, so that they can be told apart`;
			context.addIssue({code: 'custom', path: [index], message});
		}
		return named;
	})
	.prefault([{direct: {}}]);
