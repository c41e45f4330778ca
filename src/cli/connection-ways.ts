import type {Config} from '../config.ts';
import type {Traffic} from '../destination.ts';
import {authority} from '../sending/address.ts';

type Configured = Config['connections'][number];
type Address = {readonly host: string; readonly port: number};

/** An entry of `connections` as it can be shown: without user, password or anything else that may be a secret. */
export type Way = {
	readonly name: string;
	readonly kind: Configured['way']['kind'];
	/** Where it leads: the proxy, or the PAC file. Empty where the kind says it all. */
	readonly where: string;
	readonly traffic: readonly Traffic[];
	readonly family: string;
	/** The address or the interface that it leaves from, where one is chosen. */
	readonly source: string | undefined;
	/** Where PAC file and environment may lead straight to the destination. */
	readonly mayBeDirect: boolean;
	readonly proxy?: Address & {readonly protocol: 'http' | 'https' | 'socks5'};
	/** From where a PAC file is fetched. */
	readonly fetched?: Address & {readonly protocol: string};
};

export function describeWay(config: Configured): Way {
	const {name, for: traffic, family, localAddress, interface: device, way} = config;
	const source = localAddress ?? (device === undefined ? undefined : `interface ${device}`);
	const mayBeDirect = way.kind === 'direct' || (way.kind !== 'proxy' && way.allowDirect);
	return {name, kind: way.kind, traffic, family, source, mayBeDirect, ...leadingTo(way)};
}

function leadingTo(way: Configured['way']): Pick<Way, 'where' | 'proxy' | 'fetched'> {
	if (way.kind === 'proxy') {
		if (!way.proxy) return {where: 'not configured'};
		const {protocol, host, port} = way.proxy;
		return {where: `${protocol}://${authority({host, port})}`, proxy: {protocol, host, port}};
	}
	if (way.kind !== 'pac') return {where: ''};
	if ('file' in way.source) return {where: way.source.file};
	const {protocol, hostname, port, origin, pathname} = way.source.url;
	const usual = protocol === 'http:' ? 80 : 443;
	const host = hostname.replace(/^\[|\]$/g, '');
	// A query may hold a token.
	return {where: origin + pathname, fetched: {protocol: protocol.slice(0, -1), host, port: port === '' ? usual : Number(port)}};
}
