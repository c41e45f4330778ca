import {type BridgeErrorCode, isBridgeError} from '../errors.ts';
import type {Outcome} from '../outcome.ts';

export type ConnectionHealth = {
	readonly connection: string;
	readonly destination: string;
	readonly state: 'connected' | 'degraded' | 'disconnected' | 'unknown';
	/** Unix milliseconds of the last answer, be it a refusal. */
	readonly lastSuccessAt: number | undefined;
};

/**
Remembers how the last attempt over each connection went. connected: the backend answered; degraded: it was reached, and no
answer came or it asked to come later; disconnected: it was not reached.
*/
export function createConnectionHealth(
	connections: readonly string[],
	destination: string,
	onChange: (health: ConnectionHealth) => void,
) {
	const known = new Map<string, ConnectionHealth>(
		connections.map(connection => [connection, {connection, destination, state: 'unknown', lastSuccessAt: undefined}]),
	);
	return {
		observe(connection: string, outcome: Outcome, at: number) {
			if (outcome.status !== 'acknowledged' && isBridgeError(outcome.error, ...neverTried)) return;
			const before = known.get(connection);
			const state = stateOf(outcome);
			const health: ConnectionHealth = {
				connection,
				destination,
				state,
				lastSuccessAt: state === 'connected' ? at : before?.lastSuccessAt,
			};
			known.set(connection, health);
			if (before?.state !== state) onChange(health);
		},
		list: (): readonly ConnectionHealth[] => [...known.values()],
	};
}

/** Codes of what failed on this machine, before the connection was used. */
const neverTried: readonly BridgeErrorCode[] = [
	'ERR_NOT_READY',
	'ERR_MALFORMED',
	'ERR_STORE_FULL',
	'ERR_STORE_BUSY',
	'ERR_STORE_DAMAGED',
	'ERR_SHUTTING_DOWN',
];

/** A refusal is an answer too: the path is good. */
function stateOf({status}: Outcome): ConnectionHealth['state'] {
	if (status === 'acknowledged' || status === 'rejected') return 'connected';
	return status === 'deferred' ? 'degraded' : 'disconnected';
}
