import {decisions} from '../event.ts';
import {emitStateChange, emitSubmission} from '../own-telemetry/events.ts';
import {traceCase, traceJoined} from '../own-telemetry/journey.ts';
import type {Decided} from '../processors/intake.ts';
import {outcomes} from '../receivers/otlp/outcomes.ts';
import {signals} from '../receivers/otlp/reader.ts';
import type {Settled} from '../sending/settling.ts';
import {submissionTypes} from '../submission.ts';
import {attributeNames, type Instruments} from '../telemetry.ts';

export const errorOf = (outcome: Settled['outcome']) =>
	outcome.status === 'acknowledged'
		? {}
		: {[attributeNames.errorType]: 'code' in outcome.error ? String(outcome.error.code) : outcome.error.name};

/** A counter that is there from the start shows its first step, too: what is rare would else never be seen in a rate. */
export function startCounting(instruments: Instruments, destination: string): void {
	for (const decision of decisions) instruments.events.add(0, {[attributeNames.decision]: decision});
	for (const signal of signals)
		for (const outcome of outcomes)
			instruments.intakeRecords.add(0, {[attributeNames.intakeOutcome]: outcome, [attributeNames.signal]: signal});
	for (const type of submissionTypes)
		instruments.submissions.add(0, {[attributeNames.submissionType]: type, [attributeNames.destination]: destination});
}

/** Counts and traces what was decided. */
export function reportDecided(decided: readonly Decided[], instruments: Instruments): void {
	for (const {event, decision, problem} of decided) {
		instruments.events.add(1, {[attributeNames.decision]: decision});
		if (!problem) continue;
		if (decision === 'first' || decision === 'held' || decision === 'released') emitStateChange(problem);
		else traceJoined(event, decision, problem);
	}
}

/** Counts and traces what an attempt came to. */
export function reportSettled(
	{submission, outcome, destination: answeredBy, settlement, before, at}: Settled,
	primary: string,
	instruments: Instruments,
): void {
	const destination = answeredBy ?? primary;
	if (settlement.final) {
		const attributes = {[attributeNames.submissionType]: submission.type, [attributeNames.destination]: destination};
		const error = outcome.status === 'rejected' ? outcome.error : undefined;
		instruments.submissions.add(1, {...attributes, ...(error ? errorOf(outcome) : {})});
		instruments.submissionDuration.record(Math.max(0, at - submission.queuedAt) / 1000, attributes);
		emitSubmission(submission, settlement.final, destination, error);
	}
	for (const problem of settlement.problems) {
		const earlier = before.get(problem.id);
		if (problem.state !== earlier?.state) emitStateChange(problem);
		if (problem.caseNumber === undefined || earlier?.caseNumber !== undefined) continue;
		instruments.caseDuration.record(Math.max(0, at - problem.firstSeen) / 1000);
		traceCase(problem);
	}
}
