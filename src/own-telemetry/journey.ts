import {type Context, context, type Link, SpanKind, SpanStatusCode, trace} from '@opentelemetry/api';
import {isBridgeError, toError} from '../errors.ts';
import type {Decision, HardwareEvent} from '../event.ts';
import type {Connection, Sender} from '../exporter.ts';
import type {Problem} from '../problem.ts';
import {attributeNames, getTracer, traceparentOf} from '../telemetry.ts';

/*
	callhome.problem ── from the receipt of the first event to its decision; everything else is its child
	├── callhome.decide         the decision
	├── callhome.event          each further event that joins
	├── callhome.attempt        each attempt
	│   └── POST                each request over each connection
	└── callhome.case           from the first event to the case number
*/

/** A span context from its W3C text. Undefined when the text is none. */
function spanContextOf(traceparent: string | undefined) {
	const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent ?? '');
	const [, traceId, spanId, flags] = match ?? [];
	return traceId && spanId ? {traceId, spanId, traceFlags: Number.parseInt(flags ?? '0', 16), isRemote: true} : undefined;
}

function parentOf(traceparent: string | undefined): Context {
	const spanContext = spanContextOf(traceparent);
	return spanContext ? trace.setSpanContext(context.active(), spanContext) : context.active();
}

const linksOf = (event: HardwareEvent): Link[] => {
	const producer = spanContextOf(event.traceparent);
	return producer ? [{context: producer}] : [];
};

/** Begins the trace of a problem. The producer's own trace is linked: its span ended long ago. */
export function beginJourney(event: HardwareEvent, problem: Problem): string | undefined {
	const attributes = {
		[attributeNames.problemId]: problem.id,
		[attributeNames.problemState]: problem.state,
		'log.record.uid': event.id,
	};
	const root = getTracer().startSpan('callhome.problem', {
		root: true,
		kind: SpanKind.CONSUMER,
		startTime: event.receivedAt,
		links: linksOf(event),
		attributes,
	});
	const reason = problem.reason === '' ? 'first' : problem.reason;
	const inRoot = trace.setSpan(context.active(), root);
	getTracer()
		.startSpan('callhome.decide', {startTime: event.receivedAt, attributes: {[attributeNames.decision]: reason}}, inRoot)
		.end();
	root.end();
	return traceparentOf(root);
}

/** A further event in the trace of the problem that it joined. */
export function traceJoined(event: HardwareEvent, decision: Decision, problem: Problem): void {
	getTracer()
		.startSpan(
			'callhome.event',
			{
				kind: SpanKind.CONSUMER,
				startTime: event.receivedAt,
				links: linksOf(event),
				attributes: {[attributeNames.decision]: decision, [attributeNames.problemId]: problem.id},
			},
			parentOf(problem.traceparent),
		)
		.end();
}

/** The end of the journey, as long as the journey was. */
export function traceCase(problem: Problem): void {
	getTracer()
		.startSpan(
			'callhome.case',
			{
				startTime: problem.firstSeen,
				attributes: {[attributeNames.problemId]: problem.id, [attributeNames.caseNumber]: problem.caseNumber ?? ''},
			},
			parentOf(problem.traceparent),
		)
		.end();
}

/** The same sender, with a span for each attempt. */
export const traced = (send: Sender): Sender =>
	async function tracedSend(submission, signal) {
		const attributes = {[attributeNames.submissionType]: submission.type, 'callhome.submission.attempt': submission.attempts + 1};
		const parent = parentOf(submission.traceparent);
		const span = getTracer().startSpan('callhome.attempt', {kind: SpanKind.PRODUCER, attributes}, parent);
		const outcome = await context.with(trace.setSpan(parent, span), () => send(submission, signal));
		span.setAttribute('callhome.submission.outcome', outcome.status);
		if (outcome.status !== 'acknowledged') {
			span.setAttribute(attributeNames.errorType, isBridgeError(outcome.error) ? outcome.error.code : outcome.error.name);
			span.setStatus({code: SpanStatusCode.ERROR});
		}
		span.end();
		return outcome;
	};

/** The same connection, with a client span for each request, named as the HTTP conventions have it. */
export function tracedConnection(connection: Connection): Connection {
	return {
		name: connection.name,
		async send(request, signal) {
			const attributes = {
				'http.request.method': request.method,
				'server.address': request.url.hostname,
				'server.port': Number(request.url.port || 443),
				'url.full': request.url.href,
				[attributeNames.connection]: connection.name,
			};
			const span = getTracer().startSpan(request.method, {kind: SpanKind.CLIENT, attributes});
			try {
				const reply = await connection.send(request, signal);
				span.setAttribute('http.response.status_code', reply.statusCode);
				if (reply.statusCode >= 400) span.setStatus({code: SpanStatusCode.ERROR});
				return reply;
			} catch (error) {
				span.setAttribute(attributeNames.errorType, isBridgeError(error) ? error.code : toError(error).name);
				span.setStatus({code: SpanStatusCode.ERROR});
				throw error;
			} finally {
				span.end();
			}
		},
	};
}
