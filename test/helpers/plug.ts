import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {LogRecord} from '@opentelemetry/api';
import {resourceFromAttributes} from '@opentelemetry/resources';
import {LoggerProvider, type LogRecordProcessor} from '@opentelemetry/sdk-logs';
import type {ExecutionContext} from 'ava';
import type {CallHomeIntake} from '../../exporters/plug/capture.ts';
import {startCallHome} from '../../src/agent/embedded.ts';
import {createPreselection} from '../../src/agent/preselection.ts';
import {BridgeError} from '../../src/errors.ts';
import type {Decision, HardwareEvent} from '../../src/event.ts';
import {createReaders} from '../../src/receivers/otlp/reading.ts';
import {selectionSchema} from '../../src/receivers/otlp/selection.ts';
import {temporaryDirectory} from './listen.ts';

export const host = {'host.name': 'db01.example'};

/** An alert about one drive, as an application emits it. */
export const alertOf = (drive: string, changes: LogRecord = {}): LogRecord => ({
	eventName: 'callhome.hardware.alert',
	severityNumber: 17,
	body: `${drive} has failed`,
	attributes: {'hw.id': drive, 'hw.type': 'physical_disk', 'hw.state': 'failed'},
	...changes,
});

/** A logger of the SDK with these processors; it is shut down when the test ends. */
export function startLogger(
	t: ExecutionContext,
	processors: LogRecordProcessor[],
	{scope = 'raid-watch', resource = resourceFromAttributes(host)} = {},
) {
	const provider = new LoggerProvider({resource, processors});
	t.teardown(() => provider.shutdown().catch(() => {}));
	return {provider, logger: provider.getLogger(scope)};
}

export const storeFull = () => new BridgeError('ERR_STORE_FULL', 'the store cannot write: database or disk is full');

/** A bridge without a store, that does with the events what `take` does, and notes those that were taken. */
export function intakeWith(take: (events: readonly HardwareEvent[]) => void | Promise<void> = () => {}) {
	const selection = selectionSchema.parse(undefined);
	const taken: HardwareEvent[] = [];
	const calls: number[] = [];
	const callHome: CallHomeIntake = {
		async consume(events) {
			calls.push(events.length);
			await take(events);
			taken.push(...events);
			return events.map((): Decision => 'first');
		},
		read: createReaders(selection).logs.protobuf,
		mightSelect: createPreselection(selection),
	};
	return {callHome, taken, calls, drives: () => taken.map(({attributes}) => attributes['hw.id'])};
}

/** A whole bridge in a directory of its own, its sandbox included, closed when the test ends. */
export async function startEmbedded(t: ExecutionContext, settings = '', directory?: string) {
	const top = directory ?? (await temporaryDirectory(t));
	const config = join(top, 'callhome.yaml');
	const store = join(top, 'state');
	await writeFile(
		config,
		[
			`systems: [{match: {host.name: ${host['host.name']}}, machine_type: "8871", model: AC1, serial_number: J1A2B3C}]`,
			'location: {country: CH}',
			'exporter: {sandbox: {case_delay: 100ms}}',
			'consent: {cases: true}',
			settings || `store: {directory: ${store}}`,
		].join('\n'),
	);
	const logged: string[] = [];
	const callHome = await startCallHome({config, log: (level, text) => void logged.push(`${level}: ${text}`)});
	t.teardown(() => callHome.shutdown());
	return {callHome, store, config, logged};
}
