import type {Config} from '../config.ts';
import {BridgeError} from '../errors.ts';
import {createReaders, type Reading, type Signal} from '../receivers/otlp/reading.ts';

const signalOf: readonly (readonly [key: string, signal: Signal])[] = [
	['resourceLogs', 'logs'],
	['resourceMetrics', 'metrics'],
	['resourceSpans', 'traces'],
];

/**
Reads one recorded line. OTLP JSON lines are what the Collector's file exporter writes: a request of one signal on each line.
Throws ERR_MALFORMED for a line of another kind. Times are those of the recording, so the reader is told that it is now.
*/
export function createRecordings(selection: Config['selection'], now = Date.now): (line: string) => Reading {
	const readers = createReaders(selection);
	return function read(line) {
		const found = signalOf.find(([key]) => line.includes(`"${key}"`));
		if (!line.trimStart().startsWith('{') || !found) {
			throw new BridgeError(
				'ERR_MALFORMED',
				'it is no OTLP JSON: a line is to hold one object with resourceLogs or resourceMetrics',
			);
		}
		return readers[found[1]].json(Buffer.from(line), now());
	};
}
