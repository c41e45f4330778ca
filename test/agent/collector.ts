import {readFile} from 'node:fs/promises';
import {alertRequest, post, startBridge} from '../helpers/bridge.ts';
import {startCollector} from '../helpers/collector.ts';
import {eventually, freePort} from '../helpers/listen.ts';
import {testWithPeer} from '../helpers/peers.ts';

const documented = await readFile(new URL('../../dashboards/collector/forward.yaml', import.meta.url), 'utf8');

testWithPeer(
	'otelcol',
	'alerts through a real Collector become one case each, though IBM is down, the queue is full and the bridge answers 503 for a while',
	async t => {
		const bridge = await startBridge(t, {
			exporter: {
				sandbox: {case_delay: '50ms', mode: 'unavailable'},
				retry_on_failure: {initial_interval: '100ms', max_interval: '300ms'},
			},
			store: {queue_capacity: 5},
		});
		const receiver = `127.0.0.1:${await freePort()}`;
		const collector = await startCollector(t, [
			documented,
			{
				receivers: {otlp: {protocols: {http: {endpoint: receiver}}}},
				exporters: {
					'otlp_http/callhome': {
						endpoint: bridge.urls.otlp.origin,
						retry_on_failure: {initial_interval: '50ms', max_interval: '200ms'},
					},
				},
				extensions: {'file_storage/callhome': {directory: 'queue', compaction: {directory: 'queue'}}},
			},
		]);
		const systems = Array.from({length: 30}, (_, index) => `SYS${String(index).padStart(4, '0')}`);
		for (const serial of systems) {
			const response = await post(new URL(`http://${receiver}`), alertRequest({serial, uid: `uid-${serial}`}));
			t.is(response.status, 200);
		}
		await eventually(() => bridge.said.some(line => line.includes('503')));
		t.is((await bridge.sandbox?.({mode: 'normal'}, {method: 'PUT', path: '/sandbox/mode'}))?.status, 200);

		const {read} = bridge.callHome.store;
		const opened = await eventually(
			async () => {
				const problems = await read.listProblems({states: ['open']});
				return problems.length === systems.length && problems;
			},
			{timeoutMillis: 90_000},
		).catch(cause => {
			throw new Error(collector.logs().slice(-2000), {cause});
		});
		t.deepEqual(opened.map(({system}) => system?.serialNumber).sort(), systems);
		t.true(
			opened.every(({count}) => count === 1),
			'nothing is doubled',
		);
		t.is(new Set(opened.map(({caseNumber}) => caseNumber)).size, systems.length);
		t.is(await read.countEvents(), systems.length);
	},
);
