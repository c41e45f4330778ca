import {filesOf} from '../../dashboards/generate.ts';
import {createReadings} from '../../src/own-telemetry/readings.ts';
import {observeSystems} from '../../src/own-telemetry/systems.ts';
import type {System} from '../../src/problem.ts';
import {systemMetrics} from '../../src/system-metrics.ts';
import {bridgeMetrics, observe} from '../../src/telemetry.ts';
import {eventually, listen} from '../helpers/listen.ts';
import {startPage} from '../helpers/meter.ts';
import {askTarget, pickedOf, readBoard} from '../helpers/panels.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {startPrometheus} from '../helpers/prometheus.ts';

const thousand = (round: string): readonly System[] =>
	Array.from({length: 1000}, (_, index) => ({
		name: `${round}-${index}`,
		machineType: '8871',
		model: 'AC1',
		serialNumber: `${round}${index}`,
	}));

const states = ['ok', 'degraded', 'failed', 'predicted_failure'];
const patience = {timeoutMillis: 90_000, intervalMillis: 500};

/** The part of a bridge that tells of systems, in this process, on a page that a Prometheus scrapes. */
function observeFleet(present: () => readonly System[]) {
	const readings = createReadings({lifetimeMillis: 2000});
	const measureAll = () => {
		for (const {name, serialNumber} of present()) {
			const resource = {'host.name': name, 'callhome.system.serial_number': serialNumber};
			const part = {'hw.id': 'fan-1', 'hw.type': 'fan'};
			const all = states.map((state, index) => ({
				metric: 'hw.status',
				value: index === 0 ? 1 : 0,
				attributes: {...part, 'hw.state': state},
			}));
			readings.measure('churn', resource, all, Date.now());
		}
	};
	const observeAll = () => {
		observe(bridgeMetrics.heartbeatInterval, () => [{value: 1800}]);
		observe(systemMetrics.systemsRead, () => [{value: readings.machines()}]);
		observeSystems({
			systems: async () => ({
				known: [],
				lastHeartbeat: () => undefined,
				unfinished: present().map(system => ({
					systemKey: system.serialNumber,
					system,
					state: 'open',
					heldFor: undefined,
					problems: 1,
				})),
			}),
			now: Date.now,
			heartbeatIntervalMillis: 1_800_000,
		});
	};
	return {readings, measureAll, observeAll};
}

testWithPeer('prometheus', 'of a thousand systems that vanish each is told, of the thousand that came none', async t => {
	t.timeout(180_000);
	const [old, young] = [thousand('old'), thousand('young')];
	let present = old;
	const {readings, measureAll, observeAll} = observeFleet(() => present);
	const {page} = startPage(t, readings.onPoints);
	observeAll();
	const url = await listen(t, async (_, response) => {
		measureAll();
		response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8');
		response.end(await page());
	});
	// Half an hour is eighteen seconds.
	const rules = filesOf({pace: 0.01})['prometheus/hardware.rules.yaml'] ?? '';
	const prometheus = await startPrometheus(t, {targets: [url], rules, interval: '3s'});
	const count = async (expr: string) => (await prometheus.query(expr))[0]?.value ?? 0;
	await eventually(async () => (await count('count(hw_status)')) === 4000, patience);
	present = young;
	await eventually(async () => (await count('count(hw_status{host_name=~"young-.*"})')) === 4000, patience);
	await eventually(async () => (await count('count(hw_status)')) === 4000, patience);

	const silent = async () =>
		(await prometheus.alerts())
			.filter(({state, labels}) => state === 'firing' && labels.alertname === 'CallHomeSystemSilent')
			.map(({labels}) => labels.host_name);
	await eventually(async () => (await silent()).length >= 1000, patience);
	t.deepEqual((await silent()).toSorted(), old.map(({name}) => name).toSorted());

	// The minute before it saw both thousands. A busy machine may let a scrape time out: at such a moment there is nothing.
	const to = await eventually(async () => {
		const settled = Date.now() / 1000 - 4;
		return (await count('up offset 4s')) === 1 && settled;
	}, patience);
	const found = async (uid: string, wanted: string) => {
		const board = await readBoard(uid);
		const target = board.panels.find(({title}) => title === wanted)?.targets?.[0];
		if (!target) throw new Error(`there is no panel "${wanted}"`);
		const picked = await pickedOf(prometheus.url, board, to);
		return (await askTarget(prometheus.url, target, {from: to - 60, to, step: 1}, {picked})).found;
	};
	for (const title of ['Systems', 'Problems with IBM'])
		t.is((await found('callhome-fleet', title))[0]?.value?.[1], '1000', title);
	t.is((await found('callhome-fleet', 'Systems that are read'))[0]?.values?.at(-1)?.[1], '1000');
	const shown = await found('callhome-hardware', 'Systems over time');
	t.is(shown.length, 20);
	t.true(
		shown.every(({metric}) => metric.host_name?.startsWith('old-')),
		'what has fallen silent before what is well',
	);
});
