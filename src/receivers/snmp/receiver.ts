import {type Component, startAll} from '../../component.ts';
import type {SourceParts} from '../../source.ts';
import {changesOnly} from './changes-only.ts';
import type {SnmpReceiverConfig} from './config.ts';
import {createPoller} from './poller.ts';
import {createTrapReceiver} from './traps.ts';

/** Traps that come, and hosts that are asked. */
export function createSnmpReceiver(
	config: SnmpReceiverConfig,
	given: SourceParts,
): Component & {readonly port: number | undefined} {
	const parts = {...given, onTarget: changesOnly(given.onTarget)};
	const poller = config.poll && createPoller(config.poll, parts);
	const traps = config.traps && createTrapReceiver(config.traps, parts, poller?.known);
	const members = [poller, traps].filter(member => member !== undefined);
	let started: AsyncDisposableStack | undefined;
	return {
		name: 'SNMP receiver',
		async start() {
			started = await startAll(members);
		},
		async shutdown() {
			await started?.disposeAsync();
			started = undefined;
		},
		/** The port for traps. */
		get port() {
			return traps?.port;
		},
	};
}
