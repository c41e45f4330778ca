import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {probeOf} from '../../exporters/call-home-connect/probe.ts';
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
			probes: questionTo(ibm.endpoint),
			text: `IBM's servers, the event API at ${ibm.endpoint.host}`,
			isSandbox: false,
		};
	}
	if (!sandbox) throw new BridgeError('ERR_CONFIG', 'exporter: name call_home_connect or sandbox');
	const {endpoint, caFile, text} = await findSandbox(config, sandbox, stack);
	ways.expect(addressOf(endpoint).host, trusting(readAuthorities(caFile)));
	return {destinations: sandboxAt(endpoint), probes: questionTo(endpoint), text, isSandbox: true};
}

/** The event API alone is known to answer a question that says nothing. */
function questionTo(endpoint: URL): Probes {
	const {host, port} = addressOf(endpoint);
	const probe = probeOf({endpoint});
	return target => (target.host === host && target.port === port ? probe : undefined);
}

function sandboxAt(endpoint: URL): readonly Destination[] {
	const {host, port} = addressOf(endpoint);
	const server = {host, ports: [port], addresses: [], path: endpoint.pathname};
	return (['problem_reporting', 'service_information'] as const).map(purpose => ({
		purpose,
		generation: 'configured',
		servers: [server],
	}));
}

/** That of the running bridge, if its port is configured; the port of another one is not known to this process. */
async function findSandbox({store}: Config, sandbox: SandboxConfig, stack: AsyncDisposableStack) {
	const {host, port} = sandbox.endpoint;
	if (port !== 0 && isLocked(store.directory)) {
		const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
		const endpoint = new URL(`https://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}/connect/api/v1`);
		const caFile = caFileIn(join(store.directory, 'sandbox'));
		return {endpoint, caFile, text: `the sandbox of the running bridge at ${endpoint.host}; nothing reaches IBM`};
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
