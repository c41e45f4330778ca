import {filesOf} from '../../dashboards/generate.ts';
import {createReadings} from '../../src/own-telemetry/readings.ts';
import {startBridgeProcess} from '../helpers/bridge-process.ts';
import {eventually, listen} from '../helpers/listen.ts';
import {startPage} from '../helpers/meter.ts';
import {
	askTarget,
	boardUids,
	type Chosen,
	escaped,
	pickedOf,
	readBoard,
	type Variable,
	withVariables,
} from '../helpers/panels.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {type Prometheus, startPrometheus} from '../helpers/prometheus.ts';

const system = {machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C'};
const patience = {timeoutMillis: 60_000, intervalMillis: 250};

/** What Grafana lists for a variable whose query is `label_values(…)`. */
async function valuesOf({url}: Prometheus, {query}: Variable, chosen: Chosen = {}): Promise<string[]> {
	const [, series = '', label] = /^label_values\((.*), (\w+)\)$/.exec(query) ?? [];
	const address = new URL(`/api/v1/label/${label}/values`, url);
	address.searchParams.set('match[]', withVariables(series, chosen));
	return ((await (await fetch(address)).json()) as {data: string[]}).data;
}

const variableOf = async (uid: string, name: string): Promise<Variable> => {
	const variable = (await readBoard(uid)).templating.list.find(other => other.name === name);
	if (!variable) throw new Error(`${uid} has no variable ${name}`);
	return variable;
};

/** Which bridges the queries of all boards find. */
async function instancesOf({url}: Prometheus, chosen: Chosen): Promise<{instances: Set<string>; answered: number}> {
	const to = Date.now() / 1000;
	const instances = new Set<string>();
	let answered = 0;
	for (const uid of boardUids.filter(name => name !== 'callhome-events')) {
		for (const {targets = []} of (await readBoard(uid)).panels) {
			for (const target of targets) {
				const {found} = await askTarget(url, target, {from: to - 5, to, step: 1}, chosen);
				if (found.length > 0) answered++;
				for (const {metric} of found) if (metric.instance) instances.add(metric.instance);
			}
		}
	}
	return {instances, answered};
}

testWithPeer(
	'prometheus',
	'a site that is chosen leaves its bridges only, and no choice leaves those without a site, too',
	async t => {
		t.timeout(180_000);
		const [zurich, nowhere] = await Promise.all([startBridgeProcess(t, {system}), startBridgeProcess(t, {system})]);
		const prometheus = await startPrometheus(t, {
			targets: [zurich.metrics, nowhere.metrics],
			labelsOf: target => ({...(target === zurich.metrics && {site: 'Zürich (1)'})}),
			rules: filesOf({pace: 0.01})['prometheus/connectivity.rules.yaml'] ?? '',
		});
		await eventually(
			async () => (await prometheus.query('callhome_heartbeat_last_success_timestamp_seconds')).length === 2,
			patience,
		);
		const both = [zurich.metrics.host, nowhere.metrics.host].toSorted();

		const all = await instancesOf(prometheus, {});
		t.deepEqual([...all.instances].toSorted(), both);
		t.true(all.answered > 20, `${all.answered} queries have data`);
		const chosen = {site: escaped('Zürich (1)')};
		const some = await instancesOf(prometheus, chosen);
		t.deepEqual([...some.instances], [zurich.metrics.host]);
		t.true(some.answered > 20, `${some.answered} queries have data`);

		t.deepEqual(await valuesOf(prometheus, await variableOf('callhome-fleet', 'site')), ['Zürich (1)']);
		const instance = await variableOf('callhome-fleet', 'instance');
		t.deepEqual((await valuesOf(prometheus, instance)).toSorted(), both);
		t.deepEqual(await valuesOf(prometheus, instance, chosen), [zurich.metrics.host]);

		await zurich.stop('SIGKILL');
		const absent = async () =>
			(await prometheus.alerts()).find(({state, labels}) => state === 'firing' && labels.alertname === 'CallHomeBridgeAbsent');
		t.like((await eventually(absent, patience)).labels, {site: 'Zürich (1)', instance: zurich.metrics.host});
	},
);

testWithPeer(
	'prometheus',
	'the systems that are worst off are picked out, whatever their names, and each of them can be chosen',
	async t => {
		const readings = createReadings();
		const {page} = startPage(t, readings.onPoints);
		const unpickable = 'a `backtick`';
		const awkward = ['db.*|x', 'größe (1) [2] {3}+?^$', 'a "quoted" \'name\'', '"', 'C:\\back\\slash\\', 'two\nlines', 'a/b&c=d'];
		const stateOf = (name: string) => (awkward.indexOf(name) < 0 ? 'ok' : awkward.indexOf(name) % 2 ? 'failed' : 'degraded');
		const silent = 'fallen silent';
		const sound = Array.from({length: 40}, (_, index) => `sound-${index}`);
		for (const name of [...sound, silent, unpickable, ...awkward]) {
			const all = ['ok', 'degraded', 'failed', 'predicted_failure'].map(state => ({
				metric: 'hw.status',
				value: state === stateOf(name) ? 1 : 0,
				attributes: {'hw.id': 'fan-1', 'hw.type': 'fan', 'hw.state': state},
			}));
			readings.measure('script', {'host.name': name}, all, Date.now());
		}
		const url = await listen(t, async (_, response) => {
			response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8');
			response.end(await page());
		});
		const prometheus = await startPrometheus(t, {targets: [url]});
		const present = async (count: number) => (await prometheus.query('hw_status{hw_state="ok"}')).length === count;
		await eventually(() => present(49), patience);
		readings.measure('script', {'host.name': silent}, [], Date.now());
		await eventually(() => present(48), patience);

		const to = Date.now() / 1000;
		const board = await readBoard('callhome-hardware');
		const target = board.panels.find(({title}) => title === 'Systems over time')?.targets?.[0];
		if (!target) throw new Error('there is no such panel');
		const namesShown = async (chosen: Chosen) => {
			const picked = await pickedOf(prometheus.url, board, to, chosen);
			const {ok, error, found} = await askTarget(prometheus.url, target, {from: to - 20, to, step: 1}, {...chosen, picked});
			t.true(ok, error);
			return found.map(({metric}) => metric.host_name ?? '');
		};
		const shown = await namesShown({});
		for (const name of [silent, unpickable, ...awkward]) t.true(shown.includes(name), name);
		t.true(shown.length >= 20 && shown.length <= 21, `${shown.length} systems`);
		for (const name of ['sound-7', silent, ...awkward]) t.deepEqual(await namesShown({system: escaped(name)}), [name]);
		const several = `(${awkward.map(escaped).join('|')})`;
		t.deepEqual((await namesShown({system: several})).toSorted(), awkward.toSorted());
		t.deepEqual(await namesShown({system: 'none of them'}), []);
	},
);
