import type {ExecutionContext} from 'ava';
import {startBridge} from './bridge.ts';
import {startSandbox} from './sandbox.ts';

export const patience = {timeoutMillis: 60_000, intervalMillis: 50};
const system = {machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C'};

/** A bridge that sends to a sandbox of this process, as it would to IBM. */
export async function startBridgeWithSandbox(t: ExecutionContext, settings: Record<string, unknown>) {
	const sandbox = await startSandbox(t);
	const ibm = {
		customer_number: '0000000',
		api_key: 'test-api-key',
		private_key: 'test-private-key',
		endpoint: sandbox.url().href,
		ca_file: sandbox.caFile,
	};
	const retry_on_failure = {initial_interval: '100ms', max_interval: '1s'};
	const destinations = {allow_loopback: true};
	const bridge = await startBridge(t, {system, destinations, exporter: {call_home_connect: ibm, retry_on_failure}, ...settings});
	const activities = async (word: string) =>
		(await bridge.callHome.store.read.listActivities({})).filter(activity => activity.word === word);
	return {sandbox, bridge, activities};
}
