import {execFile} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {alertmanagerSchema} from '../../src/receivers/alertmanager/config.ts';
import {scrape, startBridge} from '../helpers/bridge.ts';
import {eventually, freePort, temporaryDirectory} from '../helpers/listen.ts';
import {requiredPeer, testWithPeer} from '../helpers/peers.ts';
import {startProgram} from '../helpers/program.ts';

const run = promisify(execFile);

testWithPeer(
	['prometheus-alertmanager', 'amtool'],
	'an alert of a real Alertmanager opens one case, and its end closes it',
	async t => {
		t.true(alertmanagerSchema.safeParse({}).success);
		const port = await freePort();
		const bridge = await startBridge(t, {
			receivers: {otlp: {endpoint: '127.0.0.1:0'}, alertmanager: {endpoint: `127.0.0.1:${port}`, bearer_token: 'let-me-in'}},
		});
		const directory = await temporaryDirectory(t);
		const config = join(directory, 'alertmanager.yml');
		writeFileSync(
			config,
			JSON.stringify({
				route: {receiver: 'callhome', group_wait: '0s', group_interval: '1s', repeat_interval: '1s', group_by: ['...']},
				receivers: [
					{
						name: 'callhome',
						webhook_configs: [
							{
								url: `http://127.0.0.1:${port}/alertmanager`,
								send_resolved: true,
								http_config: {authorization: {credentials: 'let-me-in'}},
							},
						],
					},
				],
			}),
		);
		const api = await freePort();
		const url = `http://127.0.0.1:${api}`;
		const alertmanager = await startProgram(t, requiredPeer('prometheus-alertmanager'), [
			`--config.file=${config}`,
			`--storage.path=${join(directory, 'data')}`,
			`--web.listen-address=127.0.0.1:${api}`,
			'--cluster.listen-address=',
		]);
		await alertmanager.waitFor('Listening on');
		const end = Date.now() + 8000;
		const labels = ['instance=db01.example:9100', 'hw_id=disk-3', 'hw_type=physical_disk', 'severity=critical'];
		const system = ['callhome_system_type=8871', 'callhome_system_model=AC1', 'callhome_system_serial_number=J1A2B3C'];
		const alert = ['alert', 'add', 'DiskFailed', ...labels, ...system, '--annotation=summary=Disk 3 has failed'];
		await run(requiredPeer('amtool'), [...alert, `--end=${new Date(end).toISOString()}`, `--alertmanager.url=${url}`]);
		await run(requiredPeer('amtool'), ['alert', 'add', 'SlowPage', 'instance=web01:80', `--alertmanager.url=${url}`]);

		const {read} = bridge.callHome.store;
		const opened = await eventually(
			async () => (await read.listProblems({limit: 10})).find(({caseNumber}) => caseNumber !== undefined),
			{
				timeoutMillis: 60_000,
			},
		);
		t.like(opened, {title: 'Disk 3 has failed', component: {id: 'disk-3', type: 'physical_disk'}});
		t.like(opened.system, {name: 'db01.example', machineType: '8871', model: 'AC1', serialNumber: 'J1A2B3C'});
		await eventually(async () => (await read.listProblems({limit: 10})).some(({state}) => state === 'closed'), {
			timeoutMillis: 90_000,
		});
		t.is((await read.listProblems({limit: 10})).length, 1);
		const page = await scrape(bridge.urls.metrics);
		t.is(page.get('callhome_events_total{callhome_decision="first"}'), 1);
		t.is(page.get('callhome_events_total{callhome_decision="recovered"}'), 1);
	},
);
