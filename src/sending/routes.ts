import {networkInterfaces} from 'node:os';
import type {StageResult} from '../attempt.ts';
import {BridgeError} from '../errors.ts';
import type {Address} from './address.ts';
import {readAuthorities, type Trust, trusting} from './authorities.ts';
import type {ConnectionConfig} from './connections-config.ts';
import {createLookup, type Family, type Lookup} from './names.ts';
import type {ProxyConfig} from './proxy-url.ts';
import type {Route} from './route.ts';
import type {Candidate} from './way.ts';

export type RouteParts = {
	/** Whom a destination's certificate has to come from. */
	readonly trustOf: (host: string) => Trust;
	readonly lookup: Lookup;
	readonly onStage?: ((destination: Address, result: StageResult) => void) | undefined;
};

/** What differs from one use of a connection to the next. */
export type RouteUse = {
	readonly onStage?: (result: StageResult) => void;
	/** Goes to this address instead of asking for the name. */
	readonly address?: string | undefined;
	/** Takes the place of the usual lookup, such as for whom must not be led into the private network. */
	readonly lookup?: Lookup;
	/** Takes the place of what holds for the destination otherwise. */
	readonly trust?: Trust | undefined;
};

/** Makes the route of a candidate. What a proxy is trusted by is read once. */
export function createRoutes(config: ConnectionConfig, {trustOf, lookup, onStage}: RouteParts) {
	const {family, stageMillis} = config;
	const proxyLookup = createLookup({allowLoopback: true});
	const authoritiesIn = remembered((caFile: string | undefined) => (caFile === undefined ? [] : readAuthorities(caFile)));
	const trustOfProxy = remembered((caFile: string | undefined) => trusting(authoritiesIn(caFile)));
	if (config.way.kind === 'proxy') authoritiesIn(config.way.proxy?.caFile); // A file that cannot be read is said at the start.

	return function routeFor(candidate: Candidate, destination: Address, use: RouteUse = {}): Route {
		const proxy: ProxyConfig | undefined = candidate === 'direct' ? undefined : candidate;
		return {
			proxy,
			trust: use.trust ?? trustOf(destination.host),
			proxyTrust: trustOfProxy(proxy?.caFile),
			lookup: use.lookup ?? lookup,
			proxyLookup,
			family,
			localAddress: localAddressOf(config),
			address: use.address,
			stageMillis,
			onStage: use.onStage ?? (result => onStage?.(destination, result)),
		};
	};
}

function remembered<Key, Value>(make: (key: Key) => Value): (key: Key) => Value {
	const known = new Map<Key, Value>();
	return key => {
		const value = known.get(key) ?? make(key);
		known.set(key, value);
		return value;
	};
}

/** The address that the connection leaves from. That of an interface may change while the bridge runs. */
function localAddressOf(config: ConnectionConfig): string | undefined {
	if (config.interface === undefined) return config.localAddress;
	const wanted = familyName[config.family];
	const found = networkInterfaces()[config.interface]?.find(({family}) => wanted === undefined || family === wanted);
	if (found) return found.address;
	const kind = wanted === undefined ? '' : ` ${wanted}`;
	const message = `The network interface ${config.interface} has no${kind} address: check its name, and whether it is up.`;
	throw new BridgeError('ERR_NOT_CONFIGURED', message, {hop: 'proxy'});
}

const familyName: Record<Family, string | undefined> = {ipv4: 'IPv4', ipv6: 'IPv6', any: undefined};
