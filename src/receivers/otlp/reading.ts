import {createJsonLogsReader, createJsonTracesReader} from './json.ts';
import {createJsonMetricsReader} from './json-metrics.ts';
import {createProtobufLogsReader, createProtobufTracesReader} from './protobuf.ts';
import {createProtobufMetricsReader} from './protobuf-metrics.ts';
import type {Encoding, Reader, Signal} from './reader.ts';
import type {Selection} from './selection.ts';

export type {Encoding, Reader, Reading, Signal} from './reader.ts';

export function createReaders(selection: Selection): Record<Signal, Record<Encoding, Reader>> {
	return {
		logs: {protobuf: createProtobufLogsReader(selection), json: createJsonLogsReader(selection)},
		metrics: {protobuf: createProtobufMetricsReader(selection), json: createJsonMetricsReader(selection)},
		traces: {protobuf: createProtobufTracesReader(), json: createJsonTracesReader()},
	};
}
