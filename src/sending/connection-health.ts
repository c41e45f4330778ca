import type {Outcome} from '../outcome.ts';

export type ConnectionHealth = {
	readonly connection: string;
	readonly destination: string;
	readonly state: 'connected' | 'degraded' | 'disconnected' | 'unknown';
	/** Unix milliseconds of the last reply. */
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

/** A refusal is an answer too: the path is good. */
function stateOf({status}: Outcome): ConnectionHealth['state'] {
	if (status === 'acknowledged' || status === 'rejected') return 'connected';
	return status === 'deferred' ? 'degraded' : 'disconnected';
}
