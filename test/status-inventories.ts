import test from 'ava';
import {inventoriesStatus, inventoriesText} from '../src/cli/status-inventories.ts';
import {configOf} from './helpers/bridge.ts';

const hour = 3_600_000;
const now = Date.UTC(2026, 10, 26, 12);
const configured = (consent: Record<string, boolean>) =>
	configOf('/var/empty', {consent, service_information: {inventory: {interval: '1h'}}});
const given = configured({cases: true, inventory: true});

test('status counts the systems whose inventory is overdue by an interval, and says where to look', t => {
	const status = inventoriesStatus(given, [{due: now + hour}, {due: now - hour}, {due: now - hour - 1}], now);
	t.deepEqual(status, {systems: 3, overdue: 1});
	t.is(inventoriesText(status), 'of 3 systems, 1 overdue: "callhome service-information show"');
	t.is(inventoriesText({systems: 1, overdue: 0}), 'of 1 system');
	t.is(inventoriesText(inventoriesStatus(given, [], now)), 'none collected yet');
});

test('where no inventory may leave, status says nothing of them', t => {
	const without: Record<string, boolean>[] = [{}, {cases: true}, {inventory: true}];
	for (const consent of without) t.is(inventoriesStatus(configured(consent), [{due: 0}], now), null);
	t.is(inventoriesText(null), undefined);
});
