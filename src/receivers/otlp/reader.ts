import type {HardwareEvent} from '../../event.ts';

export const signals = ['logs', 'metrics', 'traces'] as const;
export type Signal = (typeof signals)[number];
export type Encoding = 'protobuf' | 'json';

/**
What one request held. `records`: log records, data points or spans seen. `malformed`: how many of them could not be
read, which never aborts the others; `malformedMessage` names the first.
*/
export type Reading = {
	readonly records: number;
	readonly malformed: number;
	readonly malformedMessage: string;
	readonly events: readonly HardwareEvent[];
};

/** Throws ERR_MALFORMED when the body as a whole is not an OTLP request. */
export type Reader = (body: Uint8Array, receivedAt: number) => Reading;
