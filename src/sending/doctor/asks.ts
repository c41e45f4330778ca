import {authority} from '../address.ts';
import {type Ask, type ExaminedStage, goesAsSent, type PathResult, type ServerResult, type Target} from './diagnosis.ts';

/** What has to be allowed by others, so that each path by name works. Each thing once. */
export function asksIn(
	paths: readonly PathResult[],
	servers: readonly ServerResult[],
	targets: readonly Target[],
): readonly Ask[] {
	const asks = new Map<string, Ask>();
	for (const path of paths) {
		const isOwn = (server: {host: string; port: number}) => server.host === path.host && server.port === path.port;
		if (!goesAsSent(path)) continue;
		const ask = askOf(path, targets.find(isOwn)?.addresses ?? []);
		if (!ask) continue;
		const key = [ask.kind, ask.from, ask.host, ask.port].join(' ');
		const before = asks.get(key);
		asks.set(key, {
			...ask,
			purposes: [...new Set([...(before?.purposes ?? []), ...ask.purposes])],
			needed: before?.needed === true || servers.some(server => isOwn(server) && !server.passed),
		});
	}
	return [...asks.values()];
}

function askOf(path: PathResult, addresses: readonly string[]): Omit<Ask, 'needed'> | undefined {
	const failed = path.stages.findLast(({outcome}) => outcome === 'failed' || outcome === 'warned');
	const kind = failed && kindOf(failed);
	if (!kind) return undefined;
	const {host, port, purposes, connection} = path;
	const isOwn = failed.peer === authority(path);
	const isProxied = path.stages.some(({stage}) => stage.startsWith('proxy'));
	// Where a proxy refuses, none listens: that is no matter of a firewall.
	if (kind === 'tcp' && !isOwn && failed.error?.code === 'ERR_CONNECTION_REFUSED') return undefined;
	if (kind === 'tcp' && !isOwn)
		return {kind, from: 'this machine', ...split(failed.peer), protocol: 'HTTP proxy', addresses: [], purposes};
	return {kind, from: isProxied ? connection : 'this machine', host, port, protocol: 'HTTPS', addresses, purposes};
}

/** Only what somebody else can allow. */
function kindOf({stage, error, warning, finding}: ExaminedStage): Ask['kind'] | undefined {
	if (stage === 'tls' && warning !== undefined) return 'no_inspection';
	if (!error || !finding) return undefined;
	if (error.code === 'ERR_TLS_INSPECTED') return 'no_inspection';
	if (stage === 'connection' && /^ERR_CONNECTION_/.test(error.code)) return 'tcp';
	if (stage === 'tls' && (error.code === 'ERR_CONNECTION_TIMEOUT' || error.code === 'ERR_TLS')) return 'no_inspection';
	return stage === 'proxy' && error.code === 'ERR_PROXY_REFUSED' && error.hop !== 'proxy' ? 'connect' : undefined;
}

/** HOST:PORT in its two parts. */
function split(peer: string): {host: string; port: number} {
	const [, host = peer, port = '0'] = /^\[?(.*?)\]?:(\d+)$/.exec(peer) ?? [];
	return {host, port: Number(port)};
}
