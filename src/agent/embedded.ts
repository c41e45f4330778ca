import {mkdirSync} from 'node:fs';
import {diag} from '@opentelemetry/api';
import {loadConfig} from '../config.ts';
import {BridgeError} from '../errors.ts';
import type {Consume} from '../event.ts';
import {createReaders, type Reader} from '../receivers/otlp/reading.ts';
import {openCallHome} from './callhome.ts';
import {watchCertificates} from './certificates.ts';
import type {Log} from './log.ts';
import {createPreselection, type Preselection} from './preselection.ts';
import {openWays} from './ways.ts';

export type EmbeddedOptions = {
	/** The configuration file. Without it `./callhome.yaml`, and without that one the sandbox on this machine. */
	readonly config?: string;
	/** Where the bridge says what goes wrong; OpenTelemetry's diagnostics if not given. */
	readonly log?: Log;
};

/** A bridge inside another program: it listens nowhere, and uses the OpenTelemetry SDK of that program. */
export type EmbeddedCallHome = {
	/** Resolves when the events are on disk and decided (G1). */
	readonly consume: Consume;
	/** Selects hardware events among the log records of an OTLP request in protobuf, by the configured rules. */
	readonly read: Reader;
	readonly mightSelect: Preselection;
	/** Registers the gauges with the OpenTelemetry SDK in force now: to be called once that has started. */
	observe(): void;
	/** Finishes or gives up what is under way, and closes the store. What is not sent yet goes out after the next start. */
	shutdown(): Promise<void>;
};

const logToDiagnostics: Log = (level, text) => diag[level](`callhome-bridge: ${text}`);

/** Opens the store of the configured directory, and starts to send what is in it. Of the config, `receivers` and `telemetry` have no effect. */
export async function startCallHome({config: file, log = logToDiagnostics}: EmbeddedOptions = {}): Promise<EmbeddedCallHome> {
	const {config: whole, source} = loadConfig(file);
	// Nor is an inventory collected from modules that another bridge watches: their logins are not this program's affair.
	const config = {...whole, receivers: {otlp: whole.receivers.otlp}};
	mkdirSync(config.store.directory, {recursive: true, mode: 0o700});
	const ways = openWays(config, log);
	const certificates = watchCertificates(ways);
	const callHome = await openCallHome(config, log, ways);
	if (callHome.backend.sandbox) log('warn', `submissions go to the sandbox on this machine, and nothing reaches IBM (${source})`);

	let ending: Promise<void> | undefined;
	return {
		async consume(events) {
			if (ending) throw new BridgeError('ERR_SHUTTING_DOWN', 'the bridge is shut down: start it again with startCallHome()');
			return callHome.consume(events);
		},
		read: createReaders(config.selection).logs.protobuf,
		mightSelect: createPreselection(config.selection),
		observe() {
			callHome.observe();
			certificates.observe();
		},
		shutdown() {
			ending ??= callHome.shutdown().finally(() => ways.close());
			return ending;
		},
	};
}
