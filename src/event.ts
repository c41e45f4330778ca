/** Severity as OTLP numbers it, so an event needs no translation on its way in or out. */
export const Severity = {trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21} as const;

/**
An attribute's value. Integers that a double cannot hold exactly are bigint; bytes are base64 text, as OTLP/JSON
writes them; a null is an AnyValue without a value.
*/
export type AttributeValue =
	| string
	| number
	| bigint
	| boolean
	| null
	| readonly AttributeValue[]
	| {readonly [key: string]: AttributeValue};
export type Attributes = {readonly [key: string]: AttributeValue};

/** What a metric point measured, when the event is a level and not an occurrence. */
export type Measurement = {
	readonly metric: string;
	/** Identity of the time series: resource, metric and attributes. Stable between exports. */
	readonly series: string;
	readonly value: number;
	/** `state`: 1 while the component is in the state, 0 when not. `count`: errors so far. `increase`: errors since the last point. */
	readonly kind: 'state' | 'count' | 'increase';
	/** A state that takes so many of the last points to begin, and to end. */
	readonly confirm?: {readonly count: number; readonly of: number};
};

/** A hardware event: a log record in shape, whoever sent it. */
export type HardwareEvent = {
	/** The producer's `log.record.uid`, or a digest of what makes the event itself: the same again when it is delivered again. */
	readonly id: string;
	/** Event name, such as `callhome.hardware.alert`; the metric's name for a measurement; empty if the producer gave none. */
	readonly name: string;
	/** Unix milliseconds, as the producer's clock had it. */
	readonly occurredAt: number;
	/** Unix milliseconds on this machine's clock. */
	readonly receivedAt: number;
	/** OTLP severity number, 0 (unspecified) to 24. */
	readonly severity: number;
	/** Display text: the body of the record. */
	readonly message: string;
	readonly resource: Attributes;
	readonly attributes: Attributes;
	/** Where it came in: `otlp/logs`, `otlp/metrics`, `plug`. */
	readonly source: string;
	/** W3C traceparent of the producer, if its record carried one. */
	readonly traceparent?: string;
	readonly measurement?: Measurement;
	/** Said once, and once more when it is over: while it lasts it does not repeat itself. */
	readonly isStanding?: boolean;
};

/**
What a receiver calls. It resolves when every event is on disk, decided, and only then may the producer be answered (G1).
It rejects with ERR_STORE_FULL, ERR_STORE_BUSY or ERR_SHUTTING_DOWN when nothing was kept: the producer is to send again later.
The decisions come in the order of the events.
*/
export type Consume = (events: readonly HardwareEvent[]) => Promise<readonly Decision[]>;

/** Why an event went the way it went. The word is in the activity log, in `callhome.decision` and in the tests. */
export const decisions = [
	'first', // a new problem, queued for IBM
	'worse', // joined an open problem and raised its severity
	'duplicate', // joined an open problem
	'relapse', // joined a problem that had recovered a short time ago
	'recovered', // the component is well again
	'storm', // folded into one problem for the whole system
	'held', // a new problem that waits: its state's reason says for what
	'released', // what the problem was held for is no longer so
	'repeated', // this very event is already kept
	'unchanged', // a level that is as it was
	'nothing_open', // a recovery with no problem to close
] as const;
export type Decision = (typeof decisions)[number];

/** Decisions after which the event is not kept: it told nothing new. */
export const isKept = (decision: Decision): boolean =>
	decision !== 'repeated' && decision !== 'unchanged' && decision !== 'nothing_open';

/** The text of an attribute, or undefined when it is absent or not a scalar. */
export function textOf(attributes: Attributes, ...names: readonly string[]): string | undefined {
	for (const name of names) {
		const value = attributes[name];
		if (typeof value === 'string' && value !== '') return value;
		if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
	}
	return undefined;
}
