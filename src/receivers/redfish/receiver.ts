import {setTimeout as pause} from 'node:timers/promises';
import type {Component} from '../../component.ts';
import {toError} from '../../errors.ts';
import type {SourceParts, TargetState} from '../../source.ts';
import {LoginRefused, openClient} from './client.ts';
import type {RedfishReceiverConfig, RedfishSystem} from './config.ts';
import {lookAt} from './look.ts';

/** Looks at each machine in turns of its own. One that refuses the login is left alone until the next start. */
export function createRedfishReceiver(config: RedfishReceiverConfig, parts: SourceParts): Component {
	const stop = new AbortController();
	let running: Promise<unknown> | undefined;

	async function lookOnce(system: RedfishSystem): Promise<Pick<TargetState, 'state' | 'reason'>> {
		try {
			const client = await openClient(system, config, stop.signal);
			try {
				await lookAt(client, system, parts);
			} finally {
				await client.close();
			}
			return {state: 'working', reason: ''};
		} catch (error) {
			if (error instanceof LoginRefused)
				return {state: 'stopped', reason: `${error.message}: correct username and password, then restart`};
			return {state: 'failing', reason: toError(error).message};
		}
	}

	async function watch(system: RedfishSystem): Promise<void> {
		if (system.url.protocol === 'http:')
			parts.log('warn', `Redfish ${system.url.host}: plain HTTP shows the password on the way`);
		let last = '';
		while (!stop.signal.aborted) {
			const state = {source: 'redfish', target: system.url.host, ...(await lookOnce(system))} as const;
			if (stop.signal.aborted) return;
			if (JSON.stringify(state) !== last) parts.onTarget(state);
			last = JSON.stringify(state);
			if (state.state === 'stopped') return;
			const spread = 0.9 + 0.2 * (parts.random ?? Math.random)();
			await pause(config.poll_interval * spread, undefined, {signal: stop.signal}).catch(() => {});
		}
	}

	return {
		name: 'Redfish receiver',
		async start() {
			running = Promise.all(config.systems.map(watch));
		},
		async shutdown() {
			stop.abort();
			await running;
		},
	};
}
