import type {Log} from '../agent/log.ts';
import {expectUpdateServer} from '../agent/trust.ts';
import {recallDestinations} from '../agent/updates.ts';
import {openWays} from '../agent/ways.ts';
import type {Config} from '../config.ts';
import type {Destination} from '../destination.ts';
import {BridgeError} from '../errors.ts';
import {authority} from '../sending/address.ts';
import type {Diagnosis, Probes} from '../sending/doctor/diagnosis.ts';
import {examine} from '../sending/doctor/examine.ts';
import {duration} from '../settings.ts';
import {printable} from './print.ts';
import {openTarget, type TestTarget} from './test-target.ts';

export type WalkOptions = {
	readonly connection?: string;
	readonly destination?: string;
	/** For each stage. */
	readonly timeout?: string;
	readonly probe: boolean;
};

export type WalkSurroundings = {
	/** Ends it early. */
	readonly interrupt: AbortSignal;
	readonly stderr: NodeJS.WriteStream;
	/** Hears what is asked, and of the replies. */
	readonly wrap?: (probes: Probes) => Probes;
};

export const testExitCodes = {passed: 0, failed: 33, interrupted: 130};

/** A walk has at most so many stages that may take their whole time. */
const mostStages = 12;

/** Walks the paths of the configuration that the options leave. Given up early, it has what is known by then. */
export async function walkPaths(
	config: Config,
	options: WalkOptions,
	{interrupt, stderr, wrap = probes => probes}: WalkSurroundings,
): Promise<{readonly diagnosis: Diagnosis; readonly target: TestTarget}> {
	await using stack = new AsyncDisposableStack();
	const stageMillis = options.timeout === undefined ? undefined : millisOf(options.timeout);
	const connections = config.connections.map(way => (stageMillis === undefined ? way : {...way, stageMillis}));
	const log: Log = (_level, text) => void stderr.write(`${printable(text)}\n`);
	const ways = openWays({...config, connections}, log);
	stack.defer(() => ways.close());
	ways.setDestinations(await recallDestinations(config));
	expectUpdateServer(ways, config);
	const target = await openTarget(config, ways, stack);
	const limitMillis = mostStages * Math.max(...connections.map(way => way.stageMillis));
	const progress = createProgress(stderr);
	progress.begin();
	const diagnosis = await examine({
		connections: named(ways.list, options.connection),
		destinations: only(target.destinations, options.destination),
		probes: options.probe ? wrap(target.probes) : 'none',
		signal: AbortSignal.any([interrupt, AbortSignal.timeout(limitMillis)]),
		onPath: progress.show,
	});
	progress.clear();
	return {diagnosis, target};
}

function millisOf(text: string): number {
	const millis = duration.safeParse(text);
	if (millis.success && millis.data >= 1 && millis.data <= 600_000) return millis.data;
	throw new BridgeError('ERR_USAGE', '--timeout is not a duration from 1ms to 10m: write for example 500ms or 5s.');
}

function named<Way extends {readonly name: string}>(ways: readonly Way[], wanted: string | undefined): readonly Way[] {
	const chosen = ways.filter(({name}) => wanted === undefined || name === wanted);
	if (chosen.length > 0) return chosen;
	const names = ways.map(({name}) => `"${name}"`).join(', ');
	throw new BridgeError('ERR_USAGE', `--connection: there is no connection of this name. The configuration has ${names}.`);
}

/** Of the destinations what the host, or HOST:PORT, names. */
function only(destinations: readonly Destination[], wanted: string | undefined): readonly Destination[] {
	if (wanted === undefined) return destinations;
	const isWanted = (host: string, ports: readonly number[]) =>
		host === wanted.toLowerCase() || ports.some(port => authority({host, port}) === wanted.toLowerCase());
	const chosen = destinations
		.map(destination => ({...destination, servers: destination.servers.filter(({host, ports}) => isWanted(host, ports))}))
		.filter(({servers}) => servers.length > 0);
	if (chosen.length > 0) return chosen;
	const hosts = [...new Set(destinations.flatMap(({servers}) => servers.map(({host}) => host)))].join(', ');
	throw new BridgeError('ERR_USAGE', `--destination: there is no such server. The configuration leads to ${hosts}.`);
}

/** One line that counts, on a terminal and nowhere else. */
function createProgress(stderr: NodeJS.WriteStream) {
	const write = (text: string) => {
		if (stderr.isTTY) stderr.write(`\r\u001b[K${text}`);
	};
	return {
		begin: () => write('walking ...'),
		show: (_path: unknown, done: number, total: number) => write(`${done} of ${total} paths walked, Ctrl-C ends here`),
		clear: () => write(''),
	};
}
