import {setTimeout as pause} from 'node:timers/promises';
import type {ExecutionContext} from 'ava';
import {type Figure, median, numberText} from './parts/figures.ts';
import {type Load, startLoad} from './parts/load-program.ts';
import {type Bench, measure} from './parts/measure.ts';
import {type Bridge, configFor, residentMB, startBridge, startSandboxProgram} from './parts/servers.ts';

/**
Start to ready, resident memory at rest, and how it goes through a million records. Of the bridge as it runs without any
configuration, with the sandbox inside, and of one with an exporter to outside. `node test/bench/memory.ts [--quick]`
*/

const connections = 8;
const quarters = 4;

/** The embedded defaults, but for addresses and directory. */
const embedded = {
	system: {name: 'this machine', machine_type: '8871', model: 'AC1', serial_number: 'SANDBOX'},
	contact: {organization: 'Sandbox'},
	location: {country: 'US'},
	exporter: {sandbox: {}},
	consent: {cases: true},
};

/** The bridge that was started last, and how long each took. The first one fills the compile cache and does not count. */
async function startSome(t: ExecutionContext, config: object, times: number): Promise<{last: Bridge; readyMillis: number}> {
	let last = await startBridge(t, config);
	const ready: number[] = [];
	for (let index = 0; index < times; index++) {
		await last.program.stop();
		last = await startBridge(t, config);
		ready.push(last.readyMillis);
	}
	return {last, readyMillis: median(ready)};
}

/** Resident MB after each quarter of the records, and a while after the last. */
async function residentWhile({program, otlp}: Bridge, load: Load, records: number, restMillis: number): Promise<number[]> {
	const resident: number[] = [];
	for (let quarter = 0; quarter < quarters; quarter++) {
		await load.make('sparse', Math.ceil(records / quarters / 512));
		await load.send(otlp, connections);
		resident.push(residentMB(program.pid).now);
	}
	await pause(restMillis);
	return [...resident, residentMB(program.pid).now];
}

async function run({t, quick, say}: Bench): Promise<readonly Figure[]> {
	const load = startLoad(t);
	const records = quick ? 100_000 : 1_000_000;
	const restMillis = quick ? 3000 : 10_000;
	const configs = {embedded, IBM: configFor(await startSandboxProgram(t))};
	const figures: Figure[] = [];
	for (const [name, config] of Object.entries(configs)) {
		const {last: bridge, readyMillis} = await startSome(t, config, quick ? 1 : 5);
		await pause(restMillis);
		const idle = residentMB(bridge.program.pid).now;
		const busy = await residentWhile(bridge, load, records, restMillis);
		const [firstQuarter = Number.NaN, atEnd = Number.NaN] = [busy[0], busy.at(-1)];
		const {peak} = residentMB(bridge.program.pid);
		await bridge.program.stop();
		say(`${name}: idle ${numberText(idle)} MB, then ${busy.map(numberText).join(', ')}; peak ${numberText(peak)}`);
		figures.push(
			{name: `memory: start to ready, ${name}`, value: readyMillis, unit: 'ms', aim: {atMost: 1500}},
			{name: `memory: RSS idle, ${name}`, value: idle, unit: 'MB', aim: {atMost: 120}},
			{name: `memory: RSS after ${numberText(records)} records, ${name}`, value: atEnd, unit: 'MB'},
			{name: `memory: growth after the first quarter, ${name}`, value: atEnd - firstQuarter, unit: 'MB', aim: {atMost: 10}},
		);
	}
	return figures;
}

await measure('memory', run);
