import type {HardwareEvent} from '../event.ts';
import {isUnfinished, type Problem} from '../problem.ts';
import {stateOf} from './classify.ts';
import type {ReadEvents} from './correlate.ts';
import {faultKeyOf} from './identify.ts';

/**
What still says that something is wrong, and of which fault: a level that stands at 1, under its series, or else the last
word about the part, under the fault's own key.
*/
export type Signs = Map<string, string>;

/** Takes an event in. Returns whether a recovery cleared anything. */
export function follow(signs: Signs, event: HardwareEvent, systemKey: string): boolean {
	const fault = faultKeyOf(event, systemKey);
	const {measurement} = event;
	if (stateOf(event) !== 'ok') {
		signs.set(measurement?.kind === 'state' ? measurement.series : fault, fault);
		return false;
	}
	// A level speaks for itself and for what was only said; a part that is said to be well is well in every respect.
	const cleared = measurement ? [measurement.series, fault] : [...signs.keys()].filter(sign => signs.get(sign) === fault);
	return cleared.map(sign => signs.delete(sign)).includes(true);
}

export function signsOf(events: readonly HardwareEvent[], systemKey: string): Signs {
	const signs: Signs = new Map();
	for (const event of events) follow(signs, event, systemKey);
	return signs;
}

/** What is wrong with each of these problems. Undefined for one that has too many events to tell. */
export async function readSigns(problems: readonly (Problem | undefined)[], eventsOf: ReadEvents, limit: number) {
	const signs = new Map<string, Signs | undefined>();
	for (const problem of problems) {
		if (!problem || signs.has(problem.id) || !isUnfinished(problem) || problem.recoveredAt !== undefined) continue;
		const events = await eventsOf(problem.id, limit);
		const known = signsOf(
			events.map(({event}) => event),
			problem.systemKey,
		);
		signs.set(problem.id, events.length < limit ? known : undefined);
	}
	return signs;
}
