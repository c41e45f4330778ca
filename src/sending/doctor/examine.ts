import {isIP} from 'node:net';
import type {Destination, Purpose} from '../../destination.ts';
import {asksIn} from './asks.ts';
import {bounded} from './bounded.ts';
import {compared, foundAddress} from './compare.ts';
import type {Diagnosis, ExaminedConnection, PathResult, Probes, Target} from './diagnosis.ts';
import {createProbing} from './probing.ts';
import {serversIn} from './servers.ts';
import {examineStages, untilGivenUp} from './stages.ts';
import {carriedBy, targetsOf} from './targets.ts';

export type Examination = {
	readonly connections: readonly ExaminedConnection[];
	readonly destinations: readonly Destination[];
	/** `none`: nothing is asked, and each walk ends after TLS. */
	readonly probes: Probes | 'none';
	/** Gives up what is under way: what is known by then is the result. */
	readonly signal: AbortSignal;
	/** Pairs of a connection and a server that are walked at once. */
	readonly concurrency?: number;
	readonly now?: () => number;
	/** Hears of each path that is done, and how many there are. */
	readonly onPath?: (path: PathResult, done: number, total: number) => void;
};

/** A connection, and a server that it may carry something to. */
type Pair = {readonly connection: ExaminedConnection; readonly target: Target; readonly purposes: readonly Purpose[]};

/** Walks one pair: to this address, or where the name leads. */
type WalkTo = (address?: string) => Promise<PathResult>;

/**
Walks every connection to every server that it may carry something to, all at once: by its name, and by an address. What differs
between the two tells trouble with DNS from trouble with the network (S45). What is wrong on a path is a result, not a rejection.
*/
export async function examine(examination: Examination): Promise<Diagnosis> {
	const {connections, destinations, concurrency = 64, now = Date.now, onPath} = examination;
	const startedAt = now();
	const targets = targetsOf(destinations);
	const pairs = connections.flatMap(connection => targets.flatMap(target => pairOf(connection, target)));
	const total = pairs.reduce((sum, {target}) => sum + pathsTo(target), 0);
	const walkerOf = createWalkers(examination, now);
	let done = 0;
	const finish = (path: PathResult) => {
		done += 1;
		onPath?.(path, done, total);
		return path;
	};
	const walked = await bounded(pairs, concurrency, async pair => {
		const walkTo = walkerOf(pair);
		return walkPair(pair, async address => finish(await walkTo(address)), finish);
	});
	const paths = walked.flat();
	const servers = serversIn(targets, connections, paths);
	return {
		startedAt,
		duration: Math.max(0, now() - startedAt),
		passed: servers.length > 0 && servers.every(({passed}) => passed),
		interrupted: paths.some(({givenUpAt}) => givenUpAt !== undefined),
		paths,
		servers,
		asks: asksIn(paths, servers, targets),
	};
}

function pairOf(connection: ExaminedConnection, target: Target): Pair[] {
	const purposes = carriedBy(connection, target);
	return purposes.length > 0 ? [{connection, target, purposes}] : [];
}

const isAddress = ({host}: Target) => isIP(host) !== 0;
const pathsTo = (target: Target) => (isAddress(target) ? 1 : 2);

const baseOf = ({connection, target: {host, port}, purposes}: Pair) => ({
	connection: connection.name,
	kind: connection.kind,
	host,
	port,
	purposes,
});

function createWalkers({probes, signal}: Examination, now: () => number) {
	const probing = createProbing(probes);
	return function walkerOf(pair: Pair): WalkTo {
		const {connection, target} = pair;
		const {host, port} = target;
		const {probe, rest} = probing(target);
		return async function walkTo(address) {
			const results = await connection.walk({host, port, ...(address !== undefined && {address}), ...(probe && {probe})}, signal);
			const led = address ?? (isAddress(target) ? host : undefined);
			const way = led === undefined ? {by: 'name' as const} : {by: 'address' as const, address: led};
			const walked = {connection, target, rest, now: now()};
			return {...baseOf(pair), ...way, ...(signal.aborted ? untilGivenUp(results, walked) : examineStages(results, walked))};
		};
	};
}

/** By name, and by the first listed address at the same time; where none is listed, by the one that the name led to. */
async function walkPair(pair: Pair, walkTo: WalkTo, finish: (path: PathResult) => PathResult): Promise<readonly PathResult[]> {
	const {target} = pair;
	if (isAddress(target)) return [await walkTo()];
	const [listed] = target.addresses;
	if (listed !== undefined) {
		const [byName, byAddress] = await Promise.all([walkTo(), walkTo(listed)]);
		return compared(byName, byAddress, 'listed');
	}
	const byName = await walkTo();
	if (byName.givenUpAt) return [byName];
	const found = foundAddress(byName);
	const skip = (note: string) => finish({...baseOf(pair), by: 'address', outcome: 'skipped', note, stages: []});
	if (found === undefined) return [byName, skip(whyNoAddress(byName))];
	// The same address once more would only take its time again.
	if (byName.outcome === 'failed') return [byName, skip(`no address is listed, and by name it led to ${found} already`)];
	return compared(byName, await walkTo(found), 'found');
}

const whyNoAddress = ({stages}: PathResult): string =>
	stages.some(({stage}) => stage === 'proxy')
		? 'no address is listed, and the proxy resolves the name'
		: 'no address is listed, and the name led to none';
