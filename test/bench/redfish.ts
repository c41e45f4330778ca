import {fork} from 'node:child_process';
import {once} from 'node:events';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {eventually, temporaryDirectory} from '../helpers/listen.ts';
import {authority, localhost} from '../helpers/ways-out.ts';
import type {Figure} from './parts/figures.ts';
import {type Bench, measure} from './parts/measure.ts';
import type {ModulesOpened, ModulesOrder} from './parts/redfish-modules.ts';
import {configFor, cpuSeconds, metric, residentMB, startBridge, startSandboxProgram} from './parts/servers.ts';

/**
Memory and processor of a bridge that watches many Redfish modules over TLS: that only asks, that follows their streams, and that
reads their inventories, too. `node test/bench/redfish.ts [--quick]`
*/

const pollSeconds = 20;

type Way = {readonly events: string; readonly inventory: boolean};
const ways: Readonly<Record<string, Way>> = {
	'asks only': {events: 'poll', inventory: false},
	'follows the streams': {events: 'sse', inventory: false},
	'and reads inventories': {events: 'sse', inventory: true},
};

async function openModules(t: Bench['t'], count: number): Promise<ModulesOpened> {
	const modules = fork(join(import.meta.dirname, 'parts/redfish-modules.ts'), {execArgv: []});
	t.teardown(() => modules.kill());
	modules.send({count, ...localhost} satisfies ModulesOrder);
	const [ports] = (await once(modules, 'message')) as [ModulesOpened];
	return ports;
}

async function run({t, quick, say}: Bench): Promise<readonly Figure[]> {
	const ports = await openModules(t, quick ? 30 : 500);
	const caFile = join(await temporaryDirectory(t), 'ca.pem');
	await writeFile(caFile, authority.certificate);
	const sandbox = configFor(await startSandboxProgram(t));
	const turns = quick ? 1 : 4;

	/** Megabytes at rest after some turns, and the share of a core meanwhile. */
	async function cost(receivers: object, inventory: boolean, modules: number) {
		const bridge = await startBridge(t, {...sandbox, consent: {cases: true, inventory}, receivers});
		const working = async () => ((await metric(bridge, 'callhome_source_up', 'redfish')) ?? 0) === modules;
		await eventually(working, {timeoutMillis: 180_000, intervalMillis: 1000});
		await pause(pollSeconds * 1000); // The first look of each is the dearest.
		const began = cpuSeconds(bridge.program.pid);
		await pause(turns * pollSeconds * 1000);
		const cores = (cpuSeconds(bridge.program.pid) - began) / (turns * pollSeconds);
		const {now} = residentMB(bridge.program.pid);
		await bridge.program.stop();
		return {megabytes: now, cores};
	}

	const idle = await cost({}, false, 0);
	say(`without modules ${Math.round(idle.megabytes)} MB`);
	const figures: Figure[] = [];
	for (const [name, {events, inventory}] of Object.entries(ways)) {
		const systems = ports.map(port => ({
			url: `https://localhost:${port}`,
			username: 'bench',
			password: 'not-a-secret',
			ca_file: caFile,
			login: 'basic',
			events,
		}));
		const {megabytes, cores} = await cost({redfish: {systems, poll_interval: `${pollSeconds}s`}}, inventory, ports.length);
		say(`${ports.length} modules, ${name}: ${Math.round(megabytes)} MB, ${cores.toFixed(2)} cores`);
		const perModule = ((megabytes - idle.megabytes) * 1000) / ports.length;
		figures.push(
			{name: `redfish: RSS a module, ${name}`, value: perModule, unit: 'kB'},
			{
				name: `redfish: for 1,000 modules a minute, ${name}`,
				value: (cores * 1000 * pollSeconds) / 60 / ports.length,
				unit: 'cores',
			},
		);
	}
	return figures;
}

await measure('redfish', run);
