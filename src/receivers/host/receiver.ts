import {type Component, startAll} from '../../component.ts';
import type {SourceParts} from '../../source.ts';
import type {HostReceiverConfig} from './config.ts';
import {edacSource} from './edac.ts';
import {hwmonSource} from './hwmon.ts';
import {readIdentity} from './identity.ts';
import {localIpmi, remoteIpmi} from './ipmi.ts';
import {kernelLogSource} from './kernel-log.ts';
import {nvmeSource} from './nvme.ts';
import {rasDatabaseSource} from './ras-database.ts';
import {createRunner, type HostSource} from './runner.ts';
import {servicelogSource} from './servicelog.ts';
import {smartSource} from './smart.ts';
import {runTool} from './tool.ts';

/** What Linux itself knows of its hardware: each source that is switched on, on a schedule of its own. */
export function createHostReceiver(config: HostReceiverConfig, parts: SourceParts): Component {
	const identity = readIdentity(config.roots);
	const runners = sourcesOf(config, parts).map(source => createRunner(source, {...parts, identity: () => identity}));
	let running: AsyncDisposableStack | undefined;
	return {
		name: 'host receiver',
		async start() {
			running = await startAll(runners);
		},
		async shutdown() {
			await (running ? running.disposeAsync() : Promise.all(runners.map(runner => runner.shutdown())));
		},
	};
}

function sourcesOf(config: HostReceiverConfig, {marks, log, now = Date.now}: SourceParts): readonly HostSource[] {
	const {roots, timeout, edac, ras_database, kernel_log, smart, nvme, hwmon, ipmi, servicelog} = config;
	const parts = {roots, marks, log, now, runTool, timeoutMillis: timeout};
	const isReadElsewhere = async (signal: AbortSignal) =>
		smart.enabled && (await runTool(smart.smartctl, ['--version'], {timeoutMillis: timeout, signal})).status === 'ended';
	return [
		...(edac.enabled ? [edacSource(edac, roots, marks, now)] : []),
		...(ras_database.enabled ? [rasDatabaseSource(ras_database, parts)] : []),
		...(kernel_log.enabled ? [kernelLogSource(kernel_log, parts)] : []),
		...(smart.enabled ? [smartSource(smart, parts)] : []),
		...(nvme.enabled ? [nvmeSource(nvme, {...parts, isReadElsewhere})] : []),
		...(hwmon.enabled ? [hwmonSource(hwmon, roots, marks)] : []),
		...(ipmi.enabled && ipmi.local ? [localIpmi(ipmi, parts)] : []),
		...(ipmi.enabled ? ipmi.remote.map(remote => remoteIpmi(ipmi, remote, parts)) : []),
		...(servicelog.enabled ? [servicelogSource(servicelog, parts)] : []),
	];
}
