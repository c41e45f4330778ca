import {join} from 'node:path';
import type {Activity} from '../activity.ts';
import {startAll} from '../component.ts';
import type {Config} from '../config.ts';
import type {Destination} from '../destination.ts';
import {destinationsOf} from '../destinations/list.ts';
import {isLocked, lockDirectory} from '../store/lock.ts';
import {type Passing, passing} from '../support-proxy/allow-list.ts';
import type {SupportProxyConfig} from '../support-proxy/config.ts';
import {refusals} from '../support-proxy/refusal.ts';
import {createSupportProxy, type SupportProxy} from '../support-proxy/server.ts';
import {attributeNames, bridgeMetrics, createInstruments, observe} from '../telemetry.ts';
import type {Log} from './log.ts';
import type {Ways} from './ways.ts';

/**
All that passes: where the bridge itself sends, as known now, and the published lists that its clients may go by. What the
operator has listed for a purpose stands in the place of what was published for it, here as there.
*/
export function passingOf(
	{destinations, exporter}: Config,
	{generations}: SupportProxyConfig,
	own: readonly Destination[],
): readonly Passing[] {
	const endpoint = exporter.call_home_connect?.endpoint;
	const published = generations.flatMap(generation => destinationsOf({...destinations, generation}, {endpoint}));
	return passing([...own, ...published], {generations}, destinations.updates?.http_url);
}

export type SupportProxyHouse = {
	readonly ways: Ways;
	readonly log: Log;
	/** Keeps what is told of requests. */
	readonly record: (activities: readonly Activity[]) => void;
};

/** The support proxy over the bridge's own connections, with its metrics. Made once telemetry is there. */
export function openSupportProxy(config: Config, own: SupportProxyConfig, {ways, log, record}: SupportProxyHouse): SupportProxy {
	const {supportProxyRequests, supportProxyIo} = createInstruments();
	const requested = (decision: string, count = 1) =>
		supportProxyRequests.add(count, {[attributeNames.supportProxyDecision]: decision});
	// A counter that is there from the start shows its first step, too.
	for (const decision of ['allowed', ...refusals]) requested(decision, 0);
	const proxy = createSupportProxy(own, {
		passing: rememberedFor(ways.destinations, destinations => passingOf(config, own, destinations)),
		open: ways.openPublic,
		download: ways.downloadPublic,
		resolve: ways.resolvePublic,
		requested: decision => requested(decision),
		passed: (direction, bytes) => supportProxyIo.add(bytes, {[attributeNames.ioDirection]: direction}),
		record,
		log,
	});
	observe(bridgeMetrics.supportProxyConnections, () => [{value: proxy.tunnels()}]);
	return proxy;
}

/** Held while a support proxy of this configuration runs, within the bridge or alone. */
export const supportProxyDirectory = ({store}: Config): string => join(store.directory, 'support-proxy');

export const supportProxyRuns = (config: Config): boolean => isLocked(supportProxyDirectory(config));

/** Starts it; it ends with the stack. */
export async function startSupportProxy(
	config: Config,
	own: SupportProxyConfig,
	house: SupportProxyHouse,
	stack: AsyncDisposableStack,
): Promise<URL> {
	stack.use(lockDirectory(supportProxyDirectory(config)));
	const proxy = openSupportProxy(config, own, house);
	stack.use(await startAll([proxy]));
	const {host, port} = proxy.address();
	return new URL(`http://${host.includes(':') ? `[${host}]` : host}:${port}`);
}

/** Made again when what it is made of is another object. */
function rememberedFor<Source, Made>(read: () => Source, make: (source: Source) => Made): () => Made {
	let last: {readonly source: Source; readonly made: Made} | undefined;
	return () => {
		const source = read();
		if (last?.source !== source) last = {source, made: make(source)};
		return last.made;
	};
}
