import type {Outcome} from '../outcome.ts';

/** A queue may be longer: the rest comes when its own pause is over. */
const mostKnown = 10_000;

/**
Which submissions wait for nothing but a way out: when there is one again, they need not wait for the end of a pause that has
grown to half an hour. What IBM asked to bring later is not among them. A restart knows nothing of it.
*/
export function createStranded() {
	const ids = new Set<string>();
	return {
		/** How an attempt ended. */
		settled(id: string, {status}: Outcome) {
			if (status !== 'unreachable') ids.delete(id);
			else if (ids.size < mostKnown) ids.add(id);
		},
		/** All of them, once. */
		take(): readonly string[] {
			const taken = [...ids];
			ids.clear();
			return taken;
		},
	};
}
