import type {Encoding, Signal} from './reading.ts';

/** google.rpc.Status without details. */
export type Status = {readonly code: number; readonly message: string};

/** Exactly these: the Collector ignores an answer whose type carries a charset. */
export const contentTypes: Record<Encoding, string> = {protobuf: 'application/x-protobuf', json: 'application/json'};

const encodings = new Map<string, Encoding>([
	['application/x-protobuf', 'protobuf'],
	['application/json', 'json'],
]);

/** Of the request, by its Content-Type, whose parameters do not matter. */
export const encodingOf = (contentType = ''): Encoding | undefined =>
	encodings.get(contentType) ?? encodings.get((contentType.split(';', 1)[0] ?? '').trim().toLowerCase());

/** Producers read only so much of an answer: the Collector 64 KiB. */
const maxMessageLength = 1000;
const bounded = (message: string): string => message.slice(0, maxMessageLength).toWellFormed();

export function encodeStatus({code, message}: Status, encoding: Encoding): Uint8Array {
	const text = bounded(message);
	return encoding === 'json'
		? json({code, message: text})
		: Buffer.concat([integerField(1, code), bytesField(2, Buffer.from(text))]);
}

const rejectedName: Record<Signal, string> = {
	logs: 'rejectedLogRecords',
	metrics: 'rejectedDataPoints',
	traces: 'rejectedSpans',
};
const success: Record<Encoding, Uint8Array> = {protobuf: Buffer.alloc(0), json: json({})};

export type PartialSuccess = {readonly rejected: number; readonly errorMessage: string};

/** ExportLogsServiceResponse and its siblings. `partial_success` is set only when records were rejected. */
export function encodeResponse(signal: Signal, encoding: Encoding, {rejected, errorMessage}: PartialSuccess): Uint8Array {
	if (rejected === 0) return success[encoding];
	const text = bounded(errorMessage);
	if (encoding === 'json') return json({partialSuccess: {[rejectedName[signal]]: String(rejected), errorMessage: text}});
	return bytesField(1, Buffer.concat([integerField(1, rejected), bytesField(2, Buffer.from(text))]));
}

function json(value: object): Uint8Array {
	return Buffer.from(JSON.stringify(value));
}

const integerField = (field: number, value: number): Uint8Array => Buffer.from([field << 3, ...varint(value)]);

const bytesField = (field: number, bytes: Uint8Array): Uint8Array =>
	Buffer.concat([Buffer.from([(field << 3) | 2, ...varint(bytes.length)]), bytes]);

function varint(value: number): number[] {
	return value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...varint(Math.floor(value / 0x80))];
}
