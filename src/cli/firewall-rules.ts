import type {Config} from '../config.ts';
import {type Destination, type Purpose, type Traffic, trafficOf} from '../destination.ts';
import {publishedIn} from '../destinations/table.ts';
import {authority} from '../sending/address.ts';
import {isLoopback} from '../settings.ts';
import {describeWay, type Way} from './connection-ways.ts';

/** One row of the allow-list. */
export type Target = {
	readonly purpose: Purpose;
	readonly generation: Destination['generation'];
	readonly role: 'primary' | 'backup';
	readonly protocol: 'https' | 'http (GET only)';
	readonly host: string;
	readonly port: number;
	/** What is asked for there; empty where it is not known. */
	readonly paths: readonly string[];
	/** As published; a rule by name is better. */
	readonly addresses: readonly string[];
	readonly publishedIn: string | undefined;
};

/** Who opens a TCP connection to whom. */
export type Rule = {
	readonly direction: 'outbound' | 'inbound';
	/** The entries of `connections` it is for; none where it is for something else. */
	readonly connections: readonly string[];
	readonly from: string;
	readonly to: string;
	readonly port: number;
	readonly protocol: string;
	/** Purposes, or what else it is for. */
	readonly reasons: readonly string[];
};

/** As it stands in the rules; a request to a firewall team puts the name of the machine in its place. */
export const thisMachine = 'this machine';

/** `plain` is where plain HTTP is spoken on a port other than 80. */
export function targetsOf(destinations: readonly Destination[], plain?: URL): Target[] {
	const isPlain = (host: string, port: number) => port === 80 || (plain?.hostname === host && Number(plain.port) === port);
	const all = destinations.flatMap(({purpose, generation, servers}) =>
		servers.flatMap(({host, ports, path, addresses}, index) =>
			ports.map((port): Target => {
				const isFromList = addresses.length > 0 && generation !== 'configured' && generation !== 'updated';
				return {
					purpose,
					generation,
					role: index === 0 ? 'primary' : 'backup',
					protocol: isPlain(host, port) ? 'http (GET only)' : 'https',
					host,
					port,
					paths: pathsOf(purpose, path),
					addresses,
					publishedIn: isFromList ? publishedIn[generation] : undefined,
				};
			}),
		),
	);
	const keyOf = ({purpose, generation, host, port}: Target) => [purpose, generation, host, port].join(' ');
	return [...new Map(all.map(target => [keyOf(target), target])).values()];
}

function pathsOf(purpose: Purpose, path: string): string[] {
	if (path === '') return [];
	// An upload is asked for at one path, and sent to another.
	if (purpose === 'extended_error_data') return [`${path}/upload_tid`, `${path}/upload_sf`];
	return purpose === 'configuration_updates' && path.endsWith('.json') ? [path, `${path}.sig`] : [path];
}

export function rulesOf(config: Config, targets: readonly Target[]): Rule[] {
	const ways = config.connections.map(describeWay);
	const wanted = [...targets.map(toWanted), ...telemetryOverConnections(config)];
	const outbound = ways.flatMap(way =>
		wayRules(
			way,
			wanted.filter(({traffic}) => way.traffic.includes(traffic)),
		),
	);
	return [...merged(outbound), ...nameServerRules(config), ...telemetryRules(config), ...inboundRules(config)];
}

/** What a connection has to reach. */
type Wanted = Address & {readonly protocol: string; readonly traffic: Traffic; readonly reason: string};

const toWanted = ({host, port, protocol, purpose}: Target): Wanted => ({
	host,
	port,
	protocol,
	traffic: trafficOf[purpose],
	reason: purpose,
});

function wayRules(way: Way, wanted: readonly Wanted[]): Rule[] {
	const {name, proxy, fetched} = way;
	const self = way.source === undefined ? thisMachine : `${thisMachine} (${way.source})`;
	const rule = (from: string, to: Address, protocol: string, reasons: readonly string[]): Rule => ({
		direction: 'outbound',
		connections: [name],
		from,
		to: to.host,
		port: to.port,
		protocol,
		reasons,
	});
	if (wanted.length === 0 || (way.kind === 'proxy' && !proxy)) return [];
	const reasons = [...new Set(wanted.map(({reason}) => reason))];
	return [
		...(fetched ? [rule(self, fetched, fetched.protocol, ['PAC file'])] : []),
		...(proxy ? [rule(self, proxy, proxyProtocols[proxy.protocol], reasons)] : []),
		...wanted.map(target => rule(fromOf(way, self), target, target.protocol, [target.reason])),
	];
}

type Address = {readonly host: string; readonly port: number};

const proxyProtocols = {
	http: 'http proxy (CONNECT)',
	https: 'https proxy (CONNECT within TLS)',
	socks5: 'SOCKS5',
} as const;

/** Whose connection reaches the destination: the proxy's, where there is one. */
function fromOf({kind, proxy, mayBeDirect}: Way, self: string): string {
	if (proxy) return `proxy ${authority(proxy)}`;
	if (kind === 'direct') return self;
	const proxyName = kind === 'pac' ? 'the proxy that the PAC file names' : 'the proxy that the environment names';
	return mayBeDirect ? `${proxyName}, or ${self}` : proxyName;
}

/** What only differs in its purpose or its connection is one rule. */
function merged(rules: readonly Rule[]): Rule[] {
	const groups = Map.groupBy(rules, ({from, to, port, protocol}) => [from, to, port, protocol].join('\n'));
	return [...groups.values()].flatMap(([first, ...others]) => {
		if (!first) return [];
		const all = [first, ...others];
		const connections = [...new Set(all.flatMap(rule => rule.connections))];
		return [{...first, connections, reasons: [...new Set(all.flatMap(({reasons}) => reasons))]}];
	});
}

const other = (to: Address, protocol: string, reason: string): Rule => ({
	direction: 'outbound',
	connections: [],
	from: thisMachine,
	to: to.host,
	port: to.port,
	protocol,
	reasons: [reason],
});

const nameServerRules = ({destinations}: Config): Rule[] =>
	destinations.dns_servers.map(server => other(addressOf(new URL(`dns://${server}`)), 'DNS (UDP and TCP)', 'names'));

function addressOf(url: URL): Address {
	const usual = url.protocol === 'http:' ? 80 : 443;
	return {host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? usual : Number(url.port)};
}

const otlpProtocol = ({protocol}: URL): string => `OTLP over ${protocol.slice(0, -1)}`;

/** The bridge's own metrics, traces and events, where they go the way of everything else. */
function telemetryOverConnections({telemetry}: Config): Wanted[] {
	const {endpoint, proxy} = telemetry.otlp ?? {};
	if (endpoint === undefined || proxy !== 'connections') return [];
	const url = new URL(endpoint);
	return [{...addressOf(url), protocol: otlpProtocol(url), traffic: 'telemetry', reason: 'telemetry'}];
}

/** And where they have a way of their own. */
function telemetryRules({telemetry}: Config): Rule[] {
	const {endpoint, proxy} = telemetry.otlp ?? {};
	if (endpoint === undefined || proxy === 'connections') return [];
	const url = new URL(endpoint);
	const to = addressOf(url);
	const rule = other(to, otlpProtocol(url), 'telemetry');
	if (isLoopback(to)) return [];
	if (proxy === undefined) return [rule];
	if (proxy === 'from_environment') return [{...rule, from: `the proxy that the environment names, or ${thisMachine}`}];
	const hop = addressOf(new URL(proxy.reveal()));
	return [other(hop, proxyProtocols.http, 'telemetry'), {...rule, from: `proxy ${authority(hop)}`}];
}

/** What others open to this machine: only what listens beyond loopback. */
function inboundRules(config: Config): Rule[] {
	const {otlp} = config.receivers;
	const listeners: readonly (readonly [Address | undefined, from: string, protocol: string, reason: string])[] = [
		[config.support_proxy?.endpoint, 'the systems that call home through it', proxyProtocols.http, 'support proxy'],
		[otlp.endpoint, 'the Collectors that forward events', `OTLP over ${otlp.tls ? 'https' : 'http'}`, 'events'],
		[config.telemetry.metrics_endpoint, 'Prometheus', 'http', 'metrics'],
	];
	return listeners.flatMap(([endpoint, from, protocol, reason]): Rule[] => {
		if (!endpoint || isLoopback(endpoint)) return [];
		const rule = other({host: thisMachine, port: endpoint.port}, protocol, reason);
		return [{...rule, direction: 'inbound', from}];
	});
}
