import {type Attributes, logs, SeverityNumber} from '@opentelemetry/api';
import type {Problem} from '../problem.ts';
import type {Submission} from '../submission.ts';
import {attributeNames, scopeName} from '../telemetry.ts';

const emit = (eventName: string, severityNumber: SeverityNumber, body: string, attributes: Attributes): void =>
	logs.getLogger(scopeName).emit({eventName, severityNumber, body, attributes});

const problemAttributes = ({id, state, reason, caseNumber, component, system}: Problem): Attributes => ({
	[attributeNames.problemId]: id,
	[attributeNames.problemState]: state,
	...(reason === '' ? {} : {'callhome.problem.reason': reason}),
	...(caseNumber === undefined ? {} : {[attributeNames.caseNumber]: caseNumber}),
	...(component.id === '' ? {} : {'hw.id': component.id}),
	...(component.type === '' ? {} : {'hw.type': component.type}),
	...(system ? {'host.name': system.name} : {}),
});

/** A problem went from one state to another, for whatever log store the operator has. */
export function emitStateChange(problem: Problem): void {
	const severity = problem.state === 'rejected' || problem.state === 'held' ? SeverityNumber.WARN : SeverityNumber.INFO;
	emit('callhome.problem.state_change', severity, `${problem.title}: ${problem.state}`, problemAttributes(problem));
}

/** A submission got its final answer. */
export function emitSubmission(
	submission: Submission,
	final: 'acknowledged' | 'rejected',
	destination: string,
	error?: Error,
): void {
	const attributes = {
		[attributeNames.submissionType]: submission.type,
		[attributeNames.destination]: destination,
		...(submission.problemId === undefined ? {} : {[attributeNames.problemId]: submission.problemId}),
		...(error ? {[attributeNames.errorType]: 'code' in error ? String(error.code) : error.name} : {}),
	};
	if (final === 'rejected') emit('callhome.submission.rejected', SeverityNumber.ERROR, error?.message ?? 'rejected', attributes);
	else if (submission.type === 'heartbeat') emit('callhome.heartbeat', SeverityNumber.INFO, 'heartbeat acknowledged', attributes);
	else emit('callhome.submission.accepted', SeverityNumber.INFO, `${submission.type} accepted`, attributes);
}

/** A connection began to work, or stopped working. */
export function emitConnectionChange(connection: string, destination: string, state: string): void {
	const severity = state === 'connected' ? SeverityNumber.INFO : SeverityNumber.WARN;
	emit('callhome.connection.state_change', severity, `${connection} to ${destination}: ${state}`, {
		[attributeNames.connection]: connection,
		[attributeNames.destination]: destination,
		[attributeNames.connectionState]: state,
	});
}
