import type {Outcome} from '../outcome.ts';
import type {ConnectionHealth} from './connection-health.ts';

/** That no connection leads to the destination any more, or that one does again. */
export type Exhaustion = {
	readonly exhausted: boolean;
	/** Unix milliseconds at which it began. */
	readonly since: number;
	readonly at: number;
	readonly paths: readonly ConnectionHealth[];
};

export type ExhaustionParts = {
	/** Every connection to every server of the destination. */
	readonly paths: () => readonly ConnectionHealth[];
	/** Once when it begins, once when it ends. */
	readonly onChange: (change: Exhaustion) => void;
};
export type ExhaustionWatch = ReturnType<typeof createExhaustionWatch>;

/**
Exhausted: each path is disconnected, or the last submission found no way at all and no path has got better since. It ends when
neither holds any more. As a disconnected path takes two answers to return, a lucky one ends no outage.
*/
export function createExhaustionWatch({paths, onChange}: ExhaustionParts) {
	let foundNoWay = false;
	let since: number | undefined;

	function look(at: number) {
		const now = paths();
		const exhausted = foundNoWay || (now.length > 0 && now.every(({state}) => state === 'disconnected'));
		if (exhausted === (since !== undefined)) return;
		const began = since ?? at;
		since = exhausted ? at : undefined;
		onChange({exhausted, since: began, at, paths: now});
	}

	return {
		/** How a submission ended that has tried its way. */
		settled({status}: Outcome, at: number) {
			foundNoWay = status === 'unreachable';
			look(at);
		},
		/** The state of a path has changed. One that got better outdates what the last submission found: the next may be an hour away. */
		changed({state}: Pick<ConnectionHealth, 'state'>, previous: ConnectionHealth['state'], at: number) {
			if (rankOf[state] > rankOf[previous]) foundNoWay = false;
			look(at);
		},
		isExhausted: () => since !== undefined,
		/** Unix milliseconds at which it began; undefined while there is a way. */
		since: () => since,
	};
}

/** What leads somewhere stands above what does not. A first failure makes nothing better. */
const rankOf: Record<ConnectionHealth['state'], number> = {unknown: 0, disconnected: 0, degraded: 1, connected: 2};

/** Each path with its reason, for the activity log. */
export const reasonsOf = (paths: readonly ConnectionHealth[]): string =>
	paths
		.map(
			({connection, destination, reason, errorType}) =>
				`${connection} to ${destination}: ${reason ?? errorType ?? 'not used yet'}`,
		)
		.join(' ');
