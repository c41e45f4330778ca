import {BridgeError, type BridgeErrorCode, isBridgeError, neverLeft, toError} from '../../src/errors.ts';
import type {Connection, Exporter, OutboundRequest} from '../../src/exporter.ts';
import type {Outcome} from '../../src/outcome.ts';
import type {Submission, SubmissionType} from '../../src/submission.ts';
import {type CallHomeConnectOptions, hasCredentials, type ServiceParties} from './config.ts';
import {type Envelope, envelopeOf} from './envelope.ts';
import {questionIdOf} from './ids.ts';
import {readReply} from './reply.ts';

const opensCase = (type: SubmissionType) => type === 'hardware_alert' || type === 'test';

/** Codes of a request whose whole reply did not come. */
const gotLost: readonly BridgeErrorCode[] = ['ERR_REPLY_TIMEOUT', 'ERR_REPLY_TRUNCATED', 'ERR_CONNECTION_RESET', 'ERR_TOO_LARGE'];

/** Hands submissions to IBM's Call Home Connect service. */
export function createCallHomeConnectExporter(
	options: CallHomeConnectOptions,
	parties: ServiceParties,
	{now = Date.now}: {now?: () => number} = {},
): Exporter {
	const secrets = [options.api_key, options.private_key].filter(key => key !== undefined);
	const destination = options.endpoint.host;

	const requestOf = (envelope: Envelope): OutboundRequest => ({
		url: options.endpoint,
		method: 'POST',
		headers: {accept: 'application/json', 'content-type': 'application/json'},
		body: JSON.stringify(envelope),
		secrets,
	});

	async function exchange(submission: Submission, connection: Connection, signal: AbortSignal): Promise<Outcome> {
		const request = requestOf(envelopeOf(submission, options, parties));
		const bounded = AbortSignal.any([signal, AbortSignal.timeout(options.timeout)]);
		try {
			const reply = await connection.send(request, bounded);
			return readReply(reply, {transactionId: submission.transactionId, destination, secrets, now: now()});
		} catch (thrown) {
			const error = toError(thrown);
			// Also when it is a bug, or a reply that could not be recorded: thrown on, the doubt would be lost.
			const uncertain = !isBridgeError(error, ...neverLeft);
			return uncertain ? {status: 'deferred', error, uncertain} : {status: 'unreachable', error};
		}
	}

	return async function callHomeConnect(submission, connection, signal) {
		if (!hasCredentials(options)) return notReady();
		if (lacksContent(submission)) return unsendable(submission);
		if (submission.uncertain && opensCase(submission.type)) {
			const answer = await exchange(questionAbout(submission), connection, signal);
			const known = knownFrom(answer, submission);
			if (known) return known;
		}
		const outcome = await exchange(submission, connection, signal);
		return opensCase(submission.type) ? outcome : repeatable(outcome);
	};
}

/** What opens no case may be said twice: when the reply got lost, the next connection has its turn at once. */
const repeatable = (outcome: Outcome): Outcome =>
	outcome.status === 'deferred' && isBridgeError(outcome.error, ...gotLost)
		? {status: 'unreachable', error: outcome.error}
		: outcome;

const lacksContent = ({type, content}: Submission): boolean =>
	type === 'inventory' ? !content.inventory : (opensCase(type) || type === 'status') && content.problem === undefined;

/** Asks IBM what became of an attempt whose reply got lost. */
const questionAbout = (submission: Submission): Submission => ({
	...submission,
	type: 'case_query',
	transactionId: questionIdOf(submission.transactionId, submission.attempts),
	content: {
		system: submission.content.system,
		createdAt: submission.content.createdAt,
		transactionIds: [submission.transactionId],
	},
});

/**
What the answer to the question makes of the submission; undefined when IBM does not know it, so that it is to be sent (G3).
A question may be repeated at will: when it got lost, the next connection may ask it. When IBM refused the question, that says
nothing about the submission.
*/
function knownFrom(answer: Outcome, {transactionId}: Submission): Outcome | undefined {
	switch (answer.status) {
		case 'acknowledged': {
			const isKnown = answer.answers.some(known => known.transactionId === transactionId);
			return isKnown ? {...answer, reference: transactionId} : undefined;
		}
		case 'deferred': {
			const outcome = repeatable(answer);
			return outcome.status === 'deferred' ? {...outcome, uncertain: true} : outcome;
		}
		case 'rejected':
			return {status: 'deferred', error: answer.error, uncertain: true};
		case 'unreachable':
			return answer;
	}
}

function notReady(): Outcome {
	const message =
		'There are no keys for IBM: set api_key_file and private_key_file under exporter.call_home_connect. Until then nothing is sent.';
	return {status: 'deferred', error: new BridgeError('ERR_NOT_READY', message)};
}

function unsendable({id, type}: Submission): Outcome {
	return {status: 'rejected', error: new BridgeError('ERR_MALFORMED', `Submission ${id} (${type}) names no problem to report.`)};
}
