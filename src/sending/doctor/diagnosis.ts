import type {Stage, StageResult} from '../../attempt.ts';
import type {Purpose, Traffic} from '../../destination.ts';
import type {Probe, Walk} from '../walk.ts';

export type Verdict = 'passed' | 'warned' | 'failed' | 'skipped';

/** A connection as the doctor walks it. */
export type ExaminedConnection = {
	readonly name: string;
	/** `direct`, or what kind of proxy it is. */
	readonly kind: string;
	/** What may travel on it. Only that is walked. */
	readonly traffic: readonly Traffic[];
	readonly walk: Walk;
};

/** A server that is walked to, with all that goes there. */
export type Target = {
	readonly host: string;
	readonly port: number;
	/** As published or configured. */
	readonly addresses: readonly string[];
	readonly path: string;
	readonly purposes: readonly Purpose[];
};

/** The question for a server; without one it is only seen whether HTTP is answered at all. */
export type Probes = (target: Target) => Probe | undefined;

/** What is likely wrong, and what to do. Whole sentences, without a secret. */
export type Finding = {
	readonly cause: string;
	readonly advice: string;
	/** Both in a few words, for the line of the path. */
	readonly short: string;
};

export type ExaminedStage = StageResult & {
	readonly outcome: Verdict;
	readonly finding?: Finding;
};

/** One connection to one server, by its name or by an address. */
export type PathResult = {
	readonly connection: string;
	readonly kind: string;
	readonly host: string;
	readonly port: number;
	readonly purposes: readonly Purpose[];
	readonly by: 'name' | 'address';
	/** Where it led, when it went by an address. */
	readonly address?: string;
	readonly outcome: Verdict;
	/** Of a path that was skipped: why. Of another one: what the comparison of name and address tells. */
	readonly note?: string;
	readonly failedStage?: Stage;
	/** The stage at which somebody gave the walk up. Such a path is skipped: nothing is known of it. */
	readonly givenUpAt?: Stage;
	readonly stages: readonly ExaminedStage[];
};

/** By its name, as what is sent does; what has none goes by its address. The other walks only compare. */
export const goesAsSent = ({by, host, address}: Pick<PathResult, 'by' | 'host' | 'address'>): boolean =>
	by === 'name' || address === host;

/** One server, over all connections. */
export type ServerResult = Pick<Target, 'host' | 'port' | 'purposes'> & {
	/** Connections over which it works by its name. */
	readonly working: readonly string[];
	/** Connections that may carry something to it. */
	readonly connections: readonly string[];
	/** Connections whose walk to it was given up. */
	readonly unknown: readonly string[];
	/** Other servers for the same purposes that work. */
	readonly backups: readonly string[];
	/** Each of its purposes has a way: to it, or to a backup. */
	readonly passed: boolean;
};

/** What others have to allow. */
export type Ask = {
	/** A firewall passes TCP, a proxy passes CONNECT, or a TLS inspection lets the host alone. */
	readonly kind: 'tcp' | 'connect' | 'no_inspection';
	/** This machine, or the connection of the proxy that has to allow it. */
	readonly from: string;
	readonly host: string;
	readonly port: number;
	readonly protocol: 'HTTPS' | 'HTTP proxy';
	readonly addresses: readonly string[];
	readonly purposes: readonly Purpose[];
	/** Without it something has no way at all. */
	readonly needed: boolean;
};

export type Diagnosis = {
	/** Unix milliseconds. */
	readonly startedAt: number;
	/** Milliseconds. */
	readonly duration: number;
	/** Everything that is to be sent has at least one way. */
	readonly passed: boolean;
	/** It was given up before every path was walked to its end. */
	readonly interrupted: boolean;
	readonly paths: readonly PathResult[];
	readonly servers: readonly ServerResult[];
	readonly asks: readonly Ask[];
};
