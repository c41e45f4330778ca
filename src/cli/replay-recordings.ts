import type {Config} from '../config.ts';
import {BridgeError} from '../errors.ts';
import type {HardwareEvent} from '../event.ts';
import {createReaders, type Reading, type Signal} from '../receivers/otlp/reading.ts';
import {createTrapLog, isTrapLine} from './replay-traps.ts';

const signalOf: readonly (readonly [key: string, signal: Signal])[] = [
	['resourceLogs', 'logs'],
	['resourceMetrics', 'metrics'],
	['resourceSpans', 'traces'],
];

/** What a line holds that tells nothing. */
export const none: Reading = {records: 0, malformed: 0, malformedMessage: '', events: []};

/** Reads one recorded line; at the end, what it has kept back. */
export type Recordings = {read(line: string): Reading; end(): Reading};

/**
OTLP JSON lines are what the Collector's file exporter writes: a request of one signal on each line. Beside them the log of
`snmptrapd -On`. Throws ERR_MALFORMED for a line of another kind.
*/
export function createRecordings(selection: Config['selection'], now = Date.now): Recordings {
	const readers = createReaders(selection);
	const traps = createTrapLog();
	const readingOf = (event: HardwareEvent | undefined): Reading => (event ? {...none, records: 1, events: [event]} : none);

	return {
		read(line) {
			const found = line.trimStart().startsWith('{') ? signalOf.find(([key]) => line.includes(`"${key}"`)) : undefined;
			if (found) return readers[found[1]].json(Buffer.from(line), now());
			if (isTrapLine(line) || traps.isInside()) return readingOf(traps.take(line));
			throw new BridgeError(
				'ERR_MALFORMED',
				'it is no OTLP JSON (one object with resourceLogs or resourceMetrics a line), and no log of snmptrapd -On',
			);
		},
		end: () => readingOf(traps.end()),
	};
}
