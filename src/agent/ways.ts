import {isIP, type Socket} from 'node:net';
import type {StageResult} from '../attempt.ts';
import type {Config} from '../config.ts';
import type {Destination, Traffic} from '../destination.ts';
import {addressesOf, destinationsOf} from '../destinations/list.ts';
import {BridgeError, isBridgeError, neverLeft} from '../errors.ts';
import {type Address, authority} from '../sending/address.ts';
import {type Trust, trusting} from '../sending/authorities.ts';
import {createConnection, type FetchOptions, type WayOut} from '../sending/connections.ts';
import type {Download, DownloadRequest} from '../sending/download.ts';
import {createLookup} from '../sending/names.ts';
import type {Log} from './log.ts';

export type StageListener = (connection: string, destination: Address, result: StageResult) => void;

/** The connections of the configuration, and what goes over them beside the submissions. */
export type Ways = {
	readonly list: readonly WayOut[];
	/** Where everything goes, as known now: a signed update may change it. */
	destinations(): readonly Destination[];
	setDestinations(destinations: readonly Destination[]): void;
	/** Whom the certificate of a host, or of several, has to come from, when not from a public authority. The latest word counts. */
	expect(hosts: string | ((host: string) => boolean), trust: Trust): void;
	/** In which order connections are tried for a destination; without it the configured one. */
	setOrder(order: (names: readonly string[], destination: string) => readonly string[]): void;
	onStage(listener: StageListener): void;
	/** A socket without TLS of ours: for telemetry and for the systems behind the support proxy. */
	open(traffic: Traffic, destination: Address, signal: AbortSignal): Promise<Socket>;
	/**
	As `open`, and no name leads into the private network: its addresses are looked at when they are dialled, and not before. An
	address that is given as such is dialled as it is, and so is one that the list of destinations has with the name.
	*/
	openPublic(traffic: Traffic, destination: Address, signal: AbortSignal): Promise<Socket>;
	/** A question over plain HTTP for a system behind the support proxy, as `openPublic` opens. */
	downloadPublic(destination: Address, request: DownloadRequest, signal: AbortSignal): Promise<Download>;
	/** The public addresses of a name. */
	resolvePublic(host: string, signal: AbortSignal): Promise<readonly string[]>;
	/** The body of what answers 200 to a GET. */
	fetch(url: URL, options: FetchOptions): Promise<Buffer>;
	close(): Promise<void>;
};

/** Without a signed update. */
export const destinationsIn = ({destinations, exporter}: Pick<Config, 'destinations' | 'exporter'>): readonly Destination[] =>
	destinationsOf(destinations, {endpoint: exporter.call_home_connect?.endpoint});

/** Opens nothing yet: a connection is made when something leaves. */
export function openWays(config: Config, log: Log): Ways {
	const {dns_servers: servers, allow_loopback: allowLoopback, without_dns: withoutDns} = config.destinations;
	let destinations = destinationsIn(config);
	let order: (names: readonly string[], destination: string) => readonly string[] = names => names;
	const listeners: StageListener[] = [];
	const trusts: {readonly isFor: (host: string) => boolean; readonly trust: Trust}[] = [];
	let everybody: Trust | undefined;
	const known = withoutDns ? (host: string) => addressesOf(destinations, host) : () => [];
	const lookup = createLookup({servers, allowLoopback, known});
	const meant = (host: string) => (isIP(host) === 0 ? addressesOf(destinations, host) : [host]);
	const publicLookup = createLookup({servers, allowLoopback, known, meant, publicOnly: true});
	// Not before it is needed: reading this machine's authorities takes its time, and the sandbox needs none of them.
	const trustOf = (host: string): Trust => {
		const special = trusts.find(({isFor}) => isFor(host));
		if (special) return special.trust;
		everybody ??= trusting([]);
		return everybody;
	};
	const list = config.connections.map(connection =>
		createConnection(connection, {
			trustOf,
			lookup,
			onStage: (name, destination, result) => {
				for (const listener of listeners) listener(name, destination, result);
			},
			log,
		}),
	);

	/** The same order as for the submissions. Only what certainly carried nothing passes the turn on. */
	async function over<T>(
		traffic: Traffic,
		destination: Address,
		signal: AbortSignal,
		run: (way: WayOut) => Promise<T>,
	): Promise<T> {
		const allowed = list.filter(way => way.traffic.includes(traffic));
		const names = order(
			allowed.map(({name}) => name),
			authority(destination),
		);
		const failures: BridgeError[] = [];
		for (const way of names.flatMap(name => allowed.find(other => other.name === name) ?? [])) {
			try {
				return await run(way);
			} catch (error) {
				if (!isBridgeError(error, ...neverLeft) || signal.aborted) throw error;
				failures.push(error);
			}
		}
		throw noWay(traffic, destination, failures);
	}

	return {
		list,
		destinations: () => destinations,
		setDestinations(changed) {
			destinations = changed;
		},
		expect(hosts, trust) {
			trusts.unshift({isFor: typeof hosts === 'string' ? host => host === hosts : hosts, trust});
		},
		setOrder(changed) {
			order = changed;
		},
		onStage: listener => void listeners.push(listener),
		open: (traffic, destination, signal) => over(traffic, destination, signal, way => way.open(destination, signal)),
		openPublic: (traffic, destination, signal) =>
			over(traffic, destination, signal, way => way.open(destination, signal, {lookup: publicLookup})),
		downloadPublic: (destination, request, signal) =>
			over('downloads', destination, signal, way => way.download(destination, request, signal, {lookup: publicLookup})),
		resolvePublic: (host, signal) => publicLookup(host, 'any', signal),
		async fetch(url, options) {
			const {hostname, port} = url;
			const destination = {host: hostname, port: Number(port || (url.protocol === 'http:' ? 80 : 443))};
			const {statusCode, body} = await over('downloads', destination, options.signal, way => way.fetch(url, options));
			if (statusCode === 200) return body;
			throw new BridgeError('ERR_NOT_FOUND', `${url.host} answered ${statusCode} to a request for ${url.pathname}.`);
		},
		async close() {
			await Promise.all(list.map(way => way.close()));
		},
	};
}

function noWay(traffic: Traffic, destination: Address, failures: readonly BridgeError[]): BridgeError {
	const [first] = failures;
	const to = authority(destination);
	if (!first)
		return new BridgeError(
			'ERR_NOT_CONFIGURED',
			`No connection carries ${traffic}, so none leads to ${to}: look at "for" under connections.`,
		);
	const message = `No connection leads to ${to}. ${failures.map(failure => failure.message).join(' ')}`;
	return new BridgeError(first.code, message, {cause: new AggregateError(failures)});
}
