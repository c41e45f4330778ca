import test from 'ava';
import {createReadings} from '../../src/own-telemetry/readings.ts';
import {observeSystems, type SystemsNow} from '../../src/own-telemetry/systems.ts';
import type {System} from '../../src/problem.ts';
import {startPage} from '../helpers/meter.ts';

/** A thousand systems that come and go: what is gone leaves the page, and what comes then has all its room. */

const thousand = (round: number): System[] =>
	Array.from({length: 1000}, (_, index) => ({
		name: `h${round}-${index}`,
		machineType: '8871',
		model: 'AC1',
		serialNumber: `R${round}S${index}`,
	}));

const withOpenProblem = (systems: readonly System[]): SystemsNow['unfinished'] =>
	systems.map(system => ({systemKey: system.serialNumber, system, state: 'open', heldFor: undefined, problems: 1}));

const linesOf = (page: string, name: string) => page.split('\n').filter(line => line.startsWith(`${name}{`));

test.serial('a system whose problems are over leaves the page, and twenty thousand others have had their turn', async t => {
	const {page} = startPage(t);
	let present: readonly System[] = [];
	let clock = 0;
	observeSystems({
		systems: async () => ({known: [], lastHeartbeat: () => undefined, unfinished: withOpenProblem(present)}),
		now: () => clock,
		heartbeatIntervalMillis: 1000,
	});
	for (let round = 0; round < 20; round++) {
		present = thousand(round);
		clock += 60_000;
		const lines = linesOf(await page(), 'callhome_system_problems');
		t.is(lines.length, 6000);
		t.true(lines.every(line => line.includes(`host_name="h${round}-`)));
	}
	present = [];
	clock += 60_000;
	t.deepEqual(linesOf(await page(), 'callhome_system_problems'), []);
});

test.serial('a machine that is no longer read leaves the page after its time, and those that come have its room', async t => {
	let clock = 0;
	const readings = createReadings({lifetimeMillis: 60_000, mostMachines: 1500, now: () => clock});
	const {page} = startPage(t, readings.onPoints);
	const read = (systems: readonly System[]) => {
		for (const {name, serialNumber} of systems) {
			const resource = {'host.name': name, 'callhome.system.serial_number': serialNumber};
			readings.measure('snmp', resource, [{metric: 'hw.temperature', value: 20, attributes: {'hw.id': 'inlet'}}], clock);
		}
	};
	const temperatures = async () => linesOf(await page(), 'hw_temperature_celsius');
	for (let round = 0; round < 20; round++) {
		read(thousand(round));
		t.is((await temperatures()).length, 1000);
		t.is(readings.machines(), 1000);
		clock += 60_001;
	}
	t.deepEqual(await temperatures(), []);
	read(thousand(20));
	read(thousand(21));
	t.is((await temperatures()).length, 1500, 'no more than the limit');
	t.is((await temperatures()).filter(line => line.includes('host_name="h20-')).length, 1000, 'those that were there stay');
});

test.serial('machines that nobody looks at do not keep the room of those that come', t => {
	let clock = 0;
	const readings = createReadings({lifetimeMillis: 60_000, mostMachines: 1000, now: () => clock});
	const measure = (systems: readonly System[]) => {
		for (const {name} of systems)
			readings.measure('snmp', {'host.name': name}, [{metric: 'hw.temperature', value: 20, attributes: {}}], clock);
	};
	measure(thousand(0));
	clock += 60_001;
	measure(thousand(1));
	t.is(readings.byMachine({}).length, 1000);
});
