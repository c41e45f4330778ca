import {readFileSync} from 'node:fs';
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {eventually, freePort, temporaryDirectory} from '../../helpers/listen.ts';
import {type Program, startProgram} from '../../helpers/program.ts';

const top = join(import.meta.dirname, '../../..');
const {scripts} = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as {scripts: {start: string}};

/** What `npm start` runs, without npm: its flags are part of what is measured. */
const startArguments = scripts.start.split(' ').slice(1);

export type Bridge = {
	readonly program: Program;
	readonly otlp: URL;
	readonly metrics: URL;
	/** From the moment it was started to the first 200 of /readyz. */
	readonly readyMillis: number;
};

/** The bridge as a process of its own, with this configuration, on free ports and an empty directory. */
export async function startBridge(t: ExecutionContext, config: object, flags: readonly string[] = []): Promise<Bridge> {
	const directory = await temporaryDirectory(t);
	const [otlp, metrics] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
	const here = {
		...config,
		receivers: {...(config as {receivers?: object}).receivers, otlp: {endpoint: otlp}},
		telemetry: {metrics_endpoint: metrics},
		store: {directory: join(directory, 'state')},
	};
	const file = join(directory, 'callhome.yaml');
	await writeFile(file, JSON.stringify(here)); // JSON is YAML, too.
	const start = performance.now();
	const program = await startProgram(t, process.execPath, [...flags, ...startArguments, '--config', file], {cwd: top});
	await eventually(async () => (await fetch(`http://${metrics}/readyz`)).ok, {intervalMillis: 5}).catch(cause => {
		throw new Error(`the bridge is not ready\n${program.output()}`, {cause});
	});
	const readyMillis = performance.now() - start;
	return {program, otlp: new URL(`http://${otlp}`), metrics: new URL(`http://${metrics}/metrics`), readyMillis};
}

/** The sum of the series of a metric that carry this label; undefined when there is none. */
export async function metric({metrics}: Bridge, name: string, label: string): Promise<number | undefined> {
	const page = await (await fetch(metrics)).text();
	const series = page.split('\n').filter(line => line.startsWith(`${name}{`) && line.includes(label));
	if (series.length === 0) return undefined;
	return series.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** A configuration that sends to a sandbox outside the bridge, as it would to IBM. */
export const configFor = (sandbox: {readonly url: string; readonly caFile: string}) => ({
	contact: {organization: 'Bench'},
	location: {country: 'CH'},
	consent: {cases: true},
	exporter: {
		call_home_connect: {
			customer_number: '0000000',
			api_key: 'bench-api-key',
			private_key: 'bench-private-key',
			endpoint: sandbox.url,
			ca_file: sandbox.caFile,
			case_query: {interval: '1h'}, // What is measured is not how often it asks.
		},
	},
});

/** The sandbox as a process of its own, whose time is not the bridge's. */
export async function startSandboxProgram(t: ExecutionContext): Promise<{readonly url: string; readonly caFile: string}> {
	const directory = await temporaryDirectory(t);
	const file = join(directory, 'callhome.yaml');
	await mkdir(join(directory, 'state'));
	await writeFile(file, JSON.stringify({exporter: {sandbox: {}}, store: {directory: join(directory, 'state')}}));
	const args = ['src/cli.ts', 'sandbox', '--json', '--listen', '127.0.0.1:0', '--config', file];
	const program = await startProgram(t, process.execPath, args, {cwd: top});
	await program.waitFor('"control"');
	const {url, ca_file} = JSON.parse(program.output()) as {url: string; ca_file: string};
	return {url, caFile: ca_file};
}

const ticksPerSecond = 100; // Linux counts the time of processes so, whatever the kernel's own clock.

/** Processor time of all threads of a process, in seconds. */
export function cpuSeconds(pid: number): number {
	const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // From the third field on: the name before may hold spaces.
	return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Resident memory of a process in MB: now, and at its highest. */
export function residentMB(pid: number): {readonly now: number; readonly peak: number} {
	const status = readFileSync(`/proc/${pid}/status`, 'utf8');
	const read = (name: string) => (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024) / 1e6;
	return {now: read('VmRSS'), peak: read('VmHWM')};
}
