import test from 'ava';
import {inventoriesBySystem} from '../../src/agent/inventory.ts';
import {systemLabel} from '../../src/problem.ts';
import {createSettle} from '../../src/sending/settling.ts';
import {inventorySetting, inventorySubmission, stateAfter} from '../../src/service-information/inventory.ts';
import {openedStore} from '../helpers/stores.ts';
import {inventory, system} from '../helpers/submissions.ts';

const day = 86_400_000;
const noon = Date.UTC(2026, 10, 26, 12);

test('a source of a machine that fails is not hidden by another one that works', async t => {
	const {store} = await openedStore(t);
	const clock = {now: noon};
	const settle = createSettle({
		write: store.write,
		policy: {
			retry: {initial_interval: 1000, max_interval: 1000, multiplier: 1, randomization_factor: 0, park_after: day},
			caseQuery: {intervalMillis: 1000, count: 1},
		},
		onSettled: () => {},
		now: () => clock.now,
	});
	const from = (source: string) => ({...inventory, source});
	const acknowledge = (source: string) =>
		settle(inventorySubmission(system, from(source), clock.now), {status: 'acknowledged', reference: 'r', answers: []});
	await store.write(async records => {
		for (const source of ['host', 'redfish']) {
			const state = stateAfter(undefined, system, from(source), {target: '', now: noon});
			await records.writeSetting(inventorySetting(system, source), JSON.stringify(state));
		}
	});
	const known = async () => (await inventoriesBySystem(store.read, [], day))[0];
	t.like(await known(), {lastSuccess: undefined, due: noon});
	await acknowledge('host');
	t.like(await known(), {lastSuccess: noon, due: noon}, 'that of the module is still missing');
	await acknowledge('redfish');
	t.like(await known(), {lastSuccess: noon, due: noon + day});
	clock.now += 3 * day;
	await acknowledge('redfish');
	const now = await known();
	t.like(now, {lastSuccess: noon + 3 * day, due: noon + day});
	t.is(now && systemLabel(now.system), systemLabel(system));
});
