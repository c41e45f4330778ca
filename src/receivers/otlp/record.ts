import type {Attributes, AttributeValue} from '../../event.ts';

/** A log record as both encodings read it. Only selected records are ever read so far. */
export type LogRecord = {
	/** 0 when the producer did not know it, as OTLP has it. */
	readonly timeUnixNano: bigint;
	readonly observedTimeUnixNano: bigint;
	readonly severityNumber: number;
	/** OTLP's own field only. */
	readonly eventName: string;
	readonly body: AttributeValue;
	readonly attributes: Attributes;
	/** Lowercase hex; empty when absent. */
	readonly traceId: string;
	readonly spanId: string;
	readonly flags: number;
};

/** A data point of a gauge or a sum. */
export type Point = {
	readonly timeUnixNano: bigint;
	/** Undefined when the point says that it has none. */
	readonly value: number | undefined;
	readonly attributes: Attributes;
};

/** What the points of a metric share. */
export type Metric = {readonly name: string; readonly delta: boolean};

/** A resource, with the digest that stands for it in the ids of its events. */
export type Resource = {readonly attributes: Attributes; readonly digest: string};

/** A resource is read when the first record that needs it is; what is wrong with it is told again to each further one. */
export function lazily<Value>(read: () => Value): () => Value {
	let result: {readonly value: Value} | {readonly error: unknown} | undefined;
	return () => {
		result ??= attempt(read);
		if ('error' in result) throw result.error;
		return result.value;
	};
}

function attempt<Value>(read: () => Value): {readonly value: Value} | {readonly error: unknown} {
	try {
		return {value: read()};
	} catch (error) {
		return {error};
	}
}

/** Bounds on what one sender can make the bridge hold or do. */
export const limits = {
	recordBytes: 256 * 1024,
	/** Every event carries its resource, so this one counts many times. */
	resourceBytes: 64 * 1024,
	/** How deep an attribute's arrays and maps nest. */
	depth: 64,
	/** Beyond these, the request as a whole is refused. */
	selectedRecords: 50_000,
	malformedRecords: 10_000,
} as const;
