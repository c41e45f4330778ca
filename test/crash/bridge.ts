import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, openSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {stormThreshold} from './stories.ts';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

/** Texts that must be seen nowhere but in the two files that hold them. */
export const keys = {apiKey: 'crash-api-key-4f1c07d2', privateKey: 'crash-private-key-93be5a60'};

export type Places = {
	readonly directory: string;
	readonly otlpPort: number;
	readonly metricsPort: number;
	readonly destination: URL;
	readonly caFile: string;
};

export const storeDirectory = ({directory}: Places): string => join(directory, 'store');
export const logFile = ({directory}: Places): string => join(directory, 'bridge.log');
export const keyFiles = ({directory}: Places) => [join(directory, 'api-key'), join(directory, 'private-key')] as const;

/** Writes the configuration and returns its file. Short intervals: a life lasts less than a second. */
export function writeConfig(places: Places): string {
	const [apiKeyFile, privateKeyFile] = keyFiles(places);
	writeFileSync(apiKeyFile, keys.apiKey, {mode: 0o600});
	writeFileSync(privateKeyFile, keys.privateKey, {mode: 0o600});
	const config = {
		systems: [{match: {'host.name': 'idle.example'}, machine_type: '8871', model: 'AC1', serial_number: 'IDLE'}],
		contact: {organization: 'Crash campaign'},
		location: {country: 'CH'},
		receivers: {otlp: {endpoint: `127.0.0.1:${places.otlpPort}`}},
		processors: {storm: {threshold: stormThreshold, hold: '2s'}},
		service_information: {heartbeat: {interval: '2s'}},
		exporter: {
			call_home_connect: {
				customer_number: '1234567',
				api_key_file: apiKeyFile,
				private_key_file: privateKeyFile,
				endpoint: places.destination.href,
				ca_file: places.caFile,
				target_space: 'test',
				case_query: {interval: '200ms', count: 30},
				timeout: '2s',
			},
			retry_on_failure: {initial_interval: '100ms', max_interval: '1s'},
		},
		consent: {cases: true},
		telemetry: {metrics_endpoint: `127.0.0.1:${places.metricsPort}`},
		store: {directory: storeDirectory(places)},
	};
	const file = join(places.directory, 'callhome.yaml');
	writeFileSync(file, JSON.stringify(config, undefined, 2)); // JSON is YAML, too.
	return file;
}

/** One life of the bridge. */
export type Bridge = {
	readonly startedAt: number;
	/** Resolves when it takes events: true, or false when it ended before. */
	readonly ready: Promise<boolean>;
	/** The exit code, or the signal that ended it. */
	readonly ended: Promise<number | NodeJS.Signals>;
	hasEnded(): boolean;
	signal(name: NodeJS.Signals): void;
};

const alive = new Set<ChildProcess>();
/** However the campaign ends, no bridge outlives it. */
export function killAll(): void {
	for (const child of alive) child.kill('SIGKILL');
}
process.on('exit', killAll);

export function startBridge(configFile: string, places: Places): Bridge {
	const log = openSync(logFile(places), 'a');
	const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('OTEL_')));
	const child = spawn(process.execPath, [cli, 'run', '--json', '--config', configFile], {
		cwd: places.directory,
		env,
		stdio: ['ignore', 'pipe', log],
	});
	closeSync(log);
	alive.add(child);
	let isOver = false;
	const ended = once(child, 'close').then(([code, signal]) => {
		isOver = true;
		alive.delete(child);
		return (code ?? signal) as number | NodeJS.Signals;
	});
	return {
		startedAt: Date.now(),
		ready: Promise.race([readiness(child), ended.then(() => false)]),
		ended,
		hasEnded: () => isOver,
		signal: name => void child.kill(name),
	};
}

function readiness({stdout}: ChildProcess): Promise<boolean> {
	const {promise, resolve} = Promise.withResolvers<boolean>();
	let printed = '';
	stdout?.setEncoding('utf8').on('data', (text: string) => {
		printed += text;
		if (printed.includes('"ready":true')) resolve(true);
	});
	return promise;
}
