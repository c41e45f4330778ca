import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {readSandboxUrl} from '../agent/sandbox-url.ts';
import {questionsTo, sandboxAt} from '../agent/test-targets.ts';
import {expectVouched} from '../agent/trust.ts';
import type {Ways} from '../agent/ways.ts';
import type {Config} from '../config.ts';
import type {Destination} from '../destination.ts';
import {serversFor} from '../destinations/list.ts';
import {BridgeError} from '../errors.ts';
import {caFileIn} from '../sandbox/certificates.ts';
import type {SandboxConfig} from '../sandbox/config.ts';
import {createSandbox} from '../sandbox/server.ts';
import {addressOf} from '../sending/address.ts';
import {readAuthorities, trusting} from '../sending/authorities.ts';
import type {Probes} from '../sending/doctor/diagnosis.ts';
import {isLocked} from '../store/lock.ts';

/** What is walked to. */
export type TestTarget = {
	readonly destinations: readonly Destination[];
	readonly probes: Probes;
	/** What it is, for whoever reads the result. */
	readonly text: string;
	readonly isSandbox: boolean;
};

/** IBM's servers, or the sandbox: with that one configured nothing is to leave this machine. */
export async function openTarget(config: Config, ways: Ways, stack: AsyncDisposableStack): Promise<TestTarget> {
	const {call_home_connect: ibm, sandbox} = config.exporter;
	if (ibm) {
		const authorities = ibm.ca_file === undefined ? [] : readAuthorities(ibm.ca_file);
		expectVouched(ways, {authorities, pins: ibm.pins}, () => serversFor(ways.destinations(), 'problem_reporting'));
		return {
			destinations: ways.destinations(),
			probes: questionsTo(ibm.endpoint),
			text: `IBM's servers, the event API at ${ibm.endpoint.host}`,
			isSandbox: false,
		};
	}
	if (!sandbox) throw new BridgeError('ERR_CONFIG', 'exporter: name call_home_connect or sandbox');
	const {endpoint, caFile, text} = await findSandbox(config, sandbox, stack);
	ways.expect(addressOf(endpoint).host, trusting(readAuthorities(caFile)));
	return {destinations: sandboxAt(endpoint), probes: questionsTo(endpoint), text, isSandbox: true};
}

/** That of the running bridge, or else one for this test alone. */
async function findSandbox({store}: Config, sandbox: SandboxConfig, stack: AsyncDisposableStack) {
	const running = isLocked(store.directory) ? readSandboxUrl(store.directory) : undefined;
	if (running) {
		const caFile = caFileIn(join(store.directory, 'sandbox'));
		return {endpoint: running, caFile, text: `the sandbox of the running bridge at ${running.host}; nothing reaches IBM`};
	}
	const directory = await mkdtemp(join(tmpdir(), 'callhome-test-'));
	stack.defer(() => rm(directory, {recursive: true, force: true}));
	const server = createSandbox({...sandbox, endpoint: {host: '127.0.0.1', port: 0}, directory});
	stack.defer(() => server.shutdown());
	await server.start();
	const endpoint = server.url();
	const text = `a sandbox that runs at ${endpoint.host} for this test alone; nothing reaches IBM`;
	return {endpoint, caFile: server.caFile, text};
}
