import type {Decision} from '../../event.ts';
import {attributeNames, type Instruments} from '../../telemetry.ts';
import type {Reading, Signal} from './reading.ts';

export const outcomes = ['accepted', 'filtered', 'duplicate', 'rejected', 'refused'] as const;
type Outcome = (typeof outcomes)[number];

const outcomeOf = (decision: Decision): Outcome => {
	if (decision === 'repeated') return 'duplicate';
	return decision === 'unchanged' || decision === 'nothing_open' ? 'filtered' : 'accepted';
};

/** Counts what became of each record. The attributes are made once: this runs in every request. */
export function createOutcomes(counter: Instruments['intakeRecords'], signal: Signal) {
	const attributes = Object.fromEntries(
		outcomes.map(outcome => [outcome, {[attributeNames.intakeOutcome]: outcome, [attributeNames.signal]: signal}]),
	);
	const add = (outcome: Outcome, records: number) => {
		if (records > 0) counter.add(records, attributes[outcome]);
	};

	return {
		answered({records, malformed, events}: Reading, decisions: readonly Decision[]) {
			add('filtered', records - malformed - events.length);
			add('rejected', malformed);
			for (const [outcome, group] of Map.groupBy(decisions, outcomeOf)) add(outcome, group.length);
		},
		/** The others are counted when the request comes again. */
		refused({events}: Reading) {
			add('refused', events.length);
		},
	};
}
