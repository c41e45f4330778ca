import type {HardwareEvent} from '../../event.ts';
import {createJsonLogsReader, createJsonTracesReader} from './json.ts';
import {createJsonMetricsReader} from './json-metrics.ts';
import {createProtobufLogsReader, createProtobufTracesReader} from './protobuf.ts';
import {createProtobufMetricsReader} from './protobuf-metrics.ts';
import type {Selection} from './selection.ts';

export type Signal = 'logs' | 'metrics' | 'traces';
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

export function createReaders(selection: Selection): Record<Signal, Record<Encoding, Reader>> {
	return {
		logs: {protobuf: createProtobufLogsReader(selection), json: createJsonLogsReader(selection)},
		metrics: {protobuf: createProtobufMetricsReader(selection), json: createJsonMetricsReader(selection)},
		traces: {protobuf: createProtobufTracesReader(), json: createJsonTracesReader()},
	};
}
