import {setTimeout as pause} from 'node:timers/promises';
import {inspect} from 'node:util';
import {eventually} from '../helpers/listen.ts';
import {askTarget, boardUids, pickedOf, readBoard, withVariables} from '../helpers/panels.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {startTrouble, type Trouble, troubles} from '../helpers/trouble.ts';

/** What has to fire for each of the bridges, and what may beside it. Everything else is a false alarm. */
const expected: Record<Trouble, {must: readonly string[]; may?: readonly string[]}> = {
	sound: {must: []},
	proxy: {must: ['CallHomePathDegraded'], may: ['CallHomeStageFailing']},
	unavailable: {must: ['CallHomeProblemUndelivered'], may: ['CallHomeStageFailing', 'CallHomePathsExhausted']},
	full: {must: ['CallHomeIntakeRefusing', 'CallHomeStoreFilling'], may: ['CallHomeProblemUndelivered']},
	certificate: {
		must: ['CallHomeCertificateExpiring', 'CallHomeHardwareFailed', 'CallHomeHardwareAboutToFail', 'CallHomeSystemSilent'],
	},
};
const everywhere = ['CallHomeSandboxInUse'];

/** Nothing of it happens in the scene: there is no support proxy, no source of the bridge's own, and nothing is uploaded. */
const withoutData = [
	'callhome-connectivity: Four lights D',
	'callhome-connectivity: Requests to the support proxy A',
	'callhome-connectivity: Tunnels of the support proxy A',
	'callhome-hardware: Sources A',
];

testWithPeer('prometheus', 'under trouble the right alerts fire and no others, and every panel has data', async t => {
	t.timeout(400_000);
	const {prometheus, instances, since} = await startTrouble(t);
	const seen = Object.fromEntries(troubles.map(name => [name, new Set<string>()])) as Record<Trouble, Set<string>>;
	const look = async () => {
		for (const {state, labels} of await prometheus.alerts()) {
			const trouble = troubles.find(name => instances[name] === labels.instance);
			if (state === 'firing' && trouble && labels.alertname) seen[trouble].add(labels.alertname);
		}
		return troubles.every(name => expected[name].must.every(alert => seen[name].has(alert)));
	};
	await eventually(look, {timeoutMillis: 240_000, intervalMillis: 500}).catch(() => {});
	await pause(3000);
	await look();
	for (const name of troubles) {
		const {must, may = []} = expected[name];
		const fired = [...seen[name]].filter(alert => !everywhere.includes(alert) && !may.includes(alert));
		t.deepEqual(fired.toSorted(), [...must].toSorted(), name);
	}

	const to = Date.now() / 1000;
	const empty: string[] = [];
	for (const uid of boardUids.filter(name => name !== 'callhome-events')) {
		const board = await readBoard(uid);
		const picked = await pickedOf(prometheus.url, board, to);
		for (const panel of board.panels) {
			for (const target of panel.targets ?? []) {
				const name = `${uid}: ${panel.title} ${target.refId}`;
				const {ok, error, found} = await askTarget(prometheus.url, target, {from: since, to, step: 2}, {picked});
				t.true(ok, `${name}: ${error}`);
				if (found.length === 0) empty.push(name);
			}
		}
		for (const {name, expr} of board.annotations.list.filter(({expr}) => expr)) {
			const {ok, error} = await askTarget(prometheus.url, {expr}, {from: since, to, step: 2});
			t.true(ok, `${uid}: ${name}: ${error}`);
		}
		for (const {query, type} of board.templating.list.filter(({query = ''}) => query.startsWith('label_values'))) {
			const [, series = '', label] = /^label_values\((.*), (\w+)\)$/.exec(query) ?? [];
			const {found} = await askTarget(
				prometheus.url,
				{expr: `count by (${label}) (${withVariables(series)})`, instant: true},
				{from: since, to, step: 2},
			);
			t.true(found.length > 0, `${uid}: ${type} ${query}`);
		}
	}
	t.deepEqual(empty, withoutData, inspect(empty));
});
