import {hostname} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {scrape, startBridge} from '../helpers/bridge.ts';
import {patience} from '../helpers/bridge-with-sandbox.ts';
import {plant} from '../helpers/host.ts';
import {eventually, temporaryDirectory} from '../helpers/listen.ts';

test('a memory module that fails under Linux becomes a case, a metric and a state of its source', async t => {
	const directory = await temporaryDirectory(t);
	const dimm = 'sys/devices/system/edac/mc/mc0/dimm0';
	await plant(directory, {
		'machine-id': '0123456789abcdef0123456789abcdef',
		'proc/sys/kernel/random/boot_id': 'boot-1',
		[`${dimm}/dimm_label`]: 'CPU 0 DIMM 8',
		[`${dimm}/dimm_ce_count`]: 3,
		[`${dimm}/dimm_ue_count`]: 1,
	});
	await plant(directory, {'dev/kmsg': '3,7,1000,-;EDAC MC0: 1 UE memory read error on CPU 0 DIMM 8 (channel:0 slot:0)'});
	const roots = {
		sys: join(directory, 'sys'),
		proc: join(directory, 'proc'),
		dev: join(directory, 'dev'),
		machine_id: join(directory, 'machine-id'),
	};
	const off = {ras_database: false, smart: false, nvme: false, ipmi: false, servicelog: false};
	const {callHome, urls, said} = await startBridge(t, {
		system: {machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C'},
		receivers: {otlp: {endpoint: '127.0.0.1:0'}, host: {...off, roots, edac: {interval: '1s'}, kernel_log: {interval: '1s'}}},
	});
	const problem = await eventually(async () => {
		const [first, ...others] = await callHome.store.read.listProblems({});
		return first?.caseNumber !== undefined && first.count === 2 && others.length === 0 && first;
	}, patience);
	t.like(problem, {component: {id: 'memory/0/8', type: 'memory', name: 'CPU 0 DIMM 8'}, system: {serialNumber: 'J1A2B3C'}});

	const page = await eventually(async () => {
		const metrics = await scrape(urls.metrics);
		return [...metrics.keys()].some(name => name.startsWith('hw_errors_total')) && metrics;
	}, patience);
	const errors = [...page].filter(([name]) => name.startsWith('hw_errors_total') && name.includes('error_type="uncorrected"'));
	t.deepEqual(
		errors.map(([, value]) => value),
		[1],
	);
	t.true(errors[0]?.[0].includes(`host_name="${hostname()}"`));
	await eventually(() => said.some(line => /host\/hwmon does not apply/.test(line)), patience);
	t.true(said.some(line => /host\/edac works/.test(line)));
});
