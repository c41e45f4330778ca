import test from 'ava';
import fc from 'fast-check';
import {BridgeError} from '../../src/errors.ts';
import type {Collected, Inventory, InventorySection, InventorySource} from '../../src/inventory.ts';
import type {System} from '../../src/problem.ts';
import {
	digestOf,
	dueAt,
	inventorySetting,
	inventorySettings,
	readInventoryState,
} from '../../src/service-information/inventory.ts';
import {type CollectedTarget, createInventorySchedule, type Kept} from '../../src/service-information/inventory-schedule.ts';
import {eventually} from '../helpers/listen.ts';
import {openedStore} from '../helpers/stores.ts';
import {inventory} from '../helpers/submissions.ts';

const system: System = {name: 'db01', machineType: '8871', model: 'AC1', serialNumber: 'J1A2B3C'};
const day = 86_400_000;
const noon = Date.UTC(2026, 10, 26, 12);

type Answer = () => Promise<readonly Collected[]> | readonly Collected[];

/** A schedule on a store of its own, with a clock and with sources that answer as the test says. */
async function opened(
	t: Parameters<typeof openedStore>[0],
	answers: Record<string, Answer>,
	{
		known = true,
		intervalMillis = day,
		timeoutMillis = 300_000,
	}: {known?: boolean; intervalMillis?: number; timeoutMillis?: number} = {},
) {
	const {store} = await openedStore(t);
	const clock = {now: noon};
	const kept: Kept[] = [];
	const troubles: string[] = [];
	const asked: string[] = [];
	const sources = Object.entries(answers).map(
		([target, answer]): InventorySource => ({
			source: 'redfish',
			target,
			async collect() {
				asked.push(target);
				return answer();
			},
		}),
	);
	const start = (sections: readonly InventorySection[] = ['hardware']) =>
		createInventorySchedule({
			sources,
			sections: new Set(sections),
			intervalMillis,
			timeoutMillis,
			identify: resource => (known ? {...system, serialNumber: String(resource['host.name'])} : undefined),
			write: store.write,
			onKept: one => kept.push(one),
			onTrouble: (_source, trouble) => troubles.push(trouble),
			now: () => clock.now,
			random: () => 0,
		});
	const queue = () => store.read.dueSubmissions(Number.MAX_SAFE_INTEGER, [], 100);
	return {store, clock, kept, troubles, asked, start, queue};
}

const found = (name: string, changes: Partial<Inventory> = {}): Collected => ({
	resource: {'host.name': name},
	inventory: {...inventory, ...changes},
});

test('what was collected is queued, and a newer inventory takes the place of one that waits', async t => {
	const serial = {text: 'A'};
	const house = await opened(t, {bmc1: () => [found('J1', {machine: {serialNumber: serial.text}}), found('J2')]});
	const schedule = house.start();
	t.deepEqual(await schedule.collectNow(''), [
		{source: 'redfish', target: 'bmc1', systems: ['8871-AC1/J1', '8871-AC1/J2'], trouble: ''},
	]);
	house.clock.now += 1000;
	serial.text = 'B';
	await schedule.collectNow('bmc1');
	const queue = await house.queue();
	t.deepEqual(
		queue.map(({type, content}) => [type, content.system.serialNumber, content.createdAt]),
		[
			['inventory', 'J1', noon + 1000],
			['inventory', 'J2', noon + 1000],
		],
	);
	t.is(queue[0]?.content.inventory?.machine.serialNumber, 'B');
	t.deepEqual(
		house.kept.map(({isNew, isFirst}) => [isNew, isFirst]),
		[
			[true, true],
			[true, true],
			[true, false],
			[false, false],
		],
	);
	t.not(queue[0]?.transactionId, queue[1]?.transactionId);
	await schedule.shutdown();
});

test('a restart within the interval collects nothing, one after it at once, and one that asks for more as well', async t => {
	const house = await opened(t, {bmc1: () => [found('J1')]});
	const first = house.start();
	await first.collectNow('');
	await first.shutdown();

	const second = house.start();
	await second.start();
	await second.shutdown();
	t.is(house.asked.length, 1);

	house.clock.now += day;
	const third = house.start();
	await third.start();
	await eventually(() => house.asked.length === 2, {timeoutMillis: 10_000});
	await third.shutdown();

	const fourth = house.start(['hardware', 'network']);
	await fourth.start();
	await eventually(() => house.asked.length === 3, {timeoutMillis: 10_000});
	await fourth.shutdown();
	t.is(house.kept[1]?.state.since, noon, 'it is expected since the first time');
});

test('a machine that another one took the place of is not waited for, and one that does not answer is', async t => {
	const behind = {bmc1: ['J1'], bmc2: ['J2', 'J3', 'J4']};
	const house = await opened(t, {
		bmc1: () => behind.bmc1.map(name => found(name)),
		bmc2: () => behind.bmc2.map(name => found(name)),
	});
	const schedule = house.start();
	const awaited = async () => {
		await schedule.collectNow('');
		return [...(await house.store.read.readSettingsUnder(inventorySettings)).values()]
			.map(text => readInventoryState(text)?.label.slice(-2))
			.toSorted();
	};
	t.deepEqual(await awaited(), ['J1', 'J2', 'J3', 'J4']);
	behind.bmc2 = ['J2', 'J3'];
	t.deepEqual(await awaited(), ['J1', 'J2', 'J3', 'J4']);
	behind.bmc1 = ['J7'];
	t.deepEqual(await awaited(), ['J2', 'J3', 'J4', 'J7'], 'the serial number was corrected');
	behind.bmc2 = ['J8', 'J2', 'J3'];
	t.deepEqual(await awaited(), ['J2', 'J3', 'J7', 'J8']);
	behind.bmc2 = ['J9', 'J2'];
	t.deepEqual(await awaited(), ['J2', 'J3', 'J7', 'J8', 'J9'], 'which of the two was replaced, nobody knows');
	await schedule.shutdown();
});

test('collects again when the interval is over', async t => {
	const house = await opened(t, {bmc1: () => [found('J1')]}, {intervalMillis: 1000});
	const schedule = house.start();
	t.teardown(() => schedule.shutdown());
	await schedule.start();
	await eventually(() => house.asked.length === 1, {timeoutMillis: 10_000});
	await new Promise(resolve => setTimeout(resolve, 300));
	t.is(house.asked.length, 1, 'the clock stands still');
	// Again and again: when the next one is due is known only after the last one is on disk.
	const askedAfter = async (step: number) => {
		const before = house.asked.length;
		const stepped = () => {
			house.clock.now += step;
			return house.asked.length > before;
		};
		await eventually(stepped, {timeoutMillis: 30_000, intervalMillis: 200});
	};
	await askedAfter(1000);
	await askedAfter(-10 * day);
	t.pass('a clock that was set back does not stop it');
});

test('a target that fails does not keep another one from being collected, and is told once until its trouble changes', async t => {
	const state = {trouble: 'bmc1 is not reached'};
	const house = await opened(t, {
		bmc1: () => {
			if (state.trouble !== '') throw new BridgeError('ERR_CONNECTION_REFUSED', state.trouble);
			return [found('J1')];
		},
		bmc2: () => [found('J2')],
	});
	const schedule = house.start();
	const byTarget = (all: readonly CollectedTarget[]) => Object.fromEntries(all.map(({target, trouble}) => [target, trouble]));
	t.deepEqual(byTarget(await schedule.collectNow('redfish')), {bmc1: 'ERR_CONNECTION_REFUSED: bmc1 is not reached', bmc2: ''});
	await schedule.collectNow('');
	t.deepEqual(house.troubles, ['ERR_CONNECTION_REFUSED: bmc1 is not reached']);
	state.trouble = '';
	await schedule.collectNow('redfish bmc1');
	t.deepEqual(house.troubles, ['ERR_CONNECTION_REFUSED: bmc1 is not reached', '']);
	await t.throwsAsync(schedule.collectNow('bmc9'), {
		code: 'ERR_NOT_FOUND',
		message: 'nothing to collect from is named "bmc9": there is "redfish bmc1", "redfish bmc2"',
	});
	await schedule.shutdown();
});

test('a machine that is not known is named with what to add, is not sent, and is tried again at the next start', async t => {
	const house = await opened(t, {bmc1: () => [found('db07')]}, {known: false});
	const schedule = house.start();
	const [target] = await schedule.collectNow('');
	t.is(target?.trouble, 'db07 is not known: add under systems: - match: {host.name: "db07"}, machine_type, model, serial_number');
	t.deepEqual(await house.queue(), []);
	await schedule.shutdown();
	const again = house.start();
	await again.start();
	await eventually(() => house.asked.length === 2, {timeoutMillis: 10_000});
	await again.shutdown();
});

test('two machines that are known as one do not take the place of each other', async t => {
	const house = await opened(t, {bmc1: () => [found('J1'), found('J1', {machine: {product: 'another'}}), found('J2')]});
	const schedule = house.start();
	const [target] = await schedule.collectNow('');
	t.deepEqual(target?.systems, ['8871-AC1/J1', '8871-AC1/J2']);
	t.is(target?.trouble, 'J1 and J1 are both known as 8871-AC1/J1: tell them apart under systems');
	await schedule.collectNow('');
	t.deepEqual(
		house.kept.map(({isNew}) => isNew),
		[true, true, false, false],
		'nothing seems to change back and forth',
	);
	await schedule.shutdown();
});

test('a source that never answers and does not listen holds neither the others nor the shutdown up', async t => {
	const house = await opened(t, {bmc1: () => new Promise(() => {}), bmc2: () => [found('J2')]}, {timeoutMillis: 200});
	const schedule = house.start();
	const results = await schedule.collectNow('');
	t.deepEqual(results.map(({trouble}) => trouble).sort(), ['', 'ERR_REPLY_TIMEOUT: redfish bmc1 took more than 0.2 s']);
	const open = schedule.collectNow('bmc1');
	await schedule.shutdown();
	t.is((await open)[0]?.trouble, 'ERR_SHUTTING_DOWN: redfish bmc1: the bridge ends', 'and not that it took too long');
});

test('two orders at once look into a machine once', async t => {
	const gate = Promise.withResolvers<void>();
	const house = await opened(t, {
		bmc1: async () => {
			await gate.promise;
			return [found('J1')];
		},
	});
	const schedule = house.start();
	const both = [schedule.collectNow(''), schedule.collectNow('bmc1')];
	gate.resolve();
	t.deepEqual(await both[0], await both[1]);
	t.deepEqual(house.asked, ['bmc1']);
	await schedule.shutdown();
});

test('the digest changes with the parts and not with the time', t => {
	t.is(digestOf(inventory), digestOf({...inventory, collectedAt: 0}));
	t.not(digestOf(inventory), digestOf({...inventory, parts: inventory.parts.slice(1)}));
});

test('an inventory is due when it is expected first, and then an interval after the last one that was acknowledged', t => {
	const state = {label: 'l', name: 'n', source: 'host', target: '', since: 5, collectedAt: 7, changedAt: 7, digest: '', parts: 0};
	t.is(dueAt(state, undefined, day), 5);
	t.is(dueAt(state, noon, day), noon + day);
});

test('whatever stands in the store, a state is read or counts as not there', t => {
	fc.assert(
		fc.property(fc.oneof(fc.string(), fc.json()), text => {
			t.notThrows(() => readInventoryState(text));
		}),
	);
	t.is(readInventoryState('{"label":'), undefined);
	t.true(inventorySetting(system, 'host').startsWith(inventorySettings));
});
