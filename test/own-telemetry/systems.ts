import test from 'ava';
import {observeSystems, type SystemsNow} from '../../src/own-telemetry/systems.ts';
import type {System} from '../../src/problem.ts';
import {startPage} from '../helpers/meter.ts';

const system = (index: number): System => ({
	name: `h${index}`,
	machineType: '8871',
	model: 'AC1',
	serialNumber: `S${String(index).padStart(6, '0')}`,
});

const open = (of: System | undefined, problems = 1): SystemsNow['unfinished'][number] => ({
	systemKey: of?.serialNumber ?? 'unknown',
	system: of,
	state: 'open',
	heldFor: undefined,
	problems,
});

test.serial('systems beyond the limit are counted together, those of the configuration are always told apart', async t => {
	const {page} = startPage(t);
	let clock = 1000;
	let readings = 0;
	observeSystems({
		systems: async () => {
			readings++;
			return {
				known: [system(99)],
				lastHeartbeat: () => 5000,
				unfinished: [...Array.from({length: 10}, (_, index) => open(system(index))), open(undefined, 3)],
			};
		},
		now: () => clock,
		heartbeatIntervalMillis: 1000,
		mostSystems: 4,
	});
	const lines = async () => (await page()).split('\n').filter(line => /^callhome_system_problems.*state="open"/.test(line));
	const before = await lines();
	t.is(before.length, 6);
	t.true(before.some(line => /host_name="h99".* 0$/.test(line)));
	t.true(before.some(line => /host_name="other systems".* 7$/.test(line)));
	t.true(before.some(line => /host_name="unknown systems".* 3$/.test(line)));
	t.regex(await page(), /callhome_system_heartbeat_last_success_timestamp_seconds\{.*host_name="h99".*\} 5\n/);
	t.is(readings, 1, 'readers of the same moment share one reading');
	clock = -1_000_000; // The clock was set back.
	await lines();
	t.is(readings, 2);
});

test.serial('each of a thousand systems has all its series', async t => {
	const {page} = startPage(t);
	const known = Array.from({length: 1000}, (_, index) => system(index));
	observeSystems({
		systems: async () => ({known, lastHeartbeat: () => 1, unfinished: []}),
		now: () => 0,
		heartbeatIntervalMillis: 1000,
	});
	const lines = (await page()).split('\n').filter(line => line.startsWith('callhome_system_'));
	t.is(lines.length, 7000);
	t.false(lines.some(line => line.includes('overflow')));
});

test.serial('systems are counted by what became of their heartbeats', async t => {
	const {page} = startPage(t);
	let clock = 10_000;
	const last = new Map([
		['h0', 9000],
		['h1', 7000],
		['h2', 6999],
	]);
	observeSystems({
		systems: async () => ({
			known: [0, 1, 2, 3, 3].map(system),
			lastHeartbeat: ({name}) => last.get(name),
			unfinished: [open(system(4))],
		}),
		now: () => clock,
		heartbeatIntervalMillis: 1000,
	});
	const counts = async () =>
		Object.fromEntries(
			(await page()).split('\n').flatMap(line => {
				const [, state, value] = /^callhome_systems\{callhome_heartbeat_state="(\w+)".* (\d+)$/.exec(line) ?? [];
				return state === undefined ? [] : [[state, Number(value)]];
			}),
		);
	t.deepEqual(await counts(), {answered: 2, missed: 1, never: 1});
	clock += 10_000;
	t.deepEqual(await counts(), {answered: 0, missed: 3, never: 1});
});
