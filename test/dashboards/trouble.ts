import {setTimeout as pause} from 'node:timers/promises';
import {inspect} from 'node:util';
import {eventually} from '../helpers/listen.ts';
import {askTarget, boardUids, escapedInText, type Found, pickedOf, readBoard, withVariables} from '../helpers/panels.ts';
import {testWithPeer} from '../helpers/peers.ts';
import type {Prometheus} from '../helpers/prometheus.ts';
import {oddName, startTrouble, type Trouble, troubles} from '../helpers/trouble.ts';

/** What has to fire for each of the bridges, and what may beside it. Everything else is a false alarm. */
const expected: Record<Trouble, {must: readonly string[]; may?: readonly string[]}> = {
	sound: {must: []},
	proxy: {must: ['CallHomePathDegraded'], may: ['CallHomeStageFailing']},
	unavailable: {
		must: ['CallHomeProblemUndelivered', 'CallHomeInventoryStale'],
		may: ['CallHomeStageFailing', 'CallHomePathsExhausted'],
	},
	full: {must: ['CallHomeIntakeRefusing', 'CallHomeStoreFilling'], may: ['CallHomeProblemUndelivered']},
	certificate: {
		must: ['CallHomeCertificateExpiring', 'CallHomeHardwareFailed', 'CallHomeHardwareAboutToFail', 'CallHomeSystemSilent'],
	},
	tampered: {must: ['CallHomeLedgerBroken']},
};
const everywhere = ['CallHomeSandboxInUse'];

/** Nothing of it happens in the scene: there is no support proxy, no source of the bridge's own, and nothing is uploaded. */
const withoutData = [
	'callhome-connectivity: Four lights D',
	'callhome-connectivity: Requests to the support proxy A',
	'callhome-connectivity: Tunnels of the support proxy A',
	'callhome-hardware: Sources A',
];

const last = ({value, values}: Found) => Number((value ?? values?.at(-1))?.[1].replace('Inf', 'Infinity') ?? Number.NaN);
const only = ([one]: readonly Found[]) => (one ? last(one) : Number.NaN);
const highest = ({values = []}: Found) => Math.max(...values.map(([, value]) => Number(value)));
const some = (found: readonly Found[], labels: Readonly<Record<string, string>>, is: (one: Found) => boolean) =>
	found.some(one => Object.entries(labels).every(([label, value]) => one.metric[label] === value) && is(one));

/** A line of nothing but NaN is drawn as no line. */
const isWithoutValue = ({value, values = []}: Found) =>
	[...(value ? [value] : []), ...values].every(([, text]) => text === 'NaN');

type Told = readonly [trouble: Trouble, board: string, panel: string, is: (found: readonly Found[], to: number) => boolean];

/** What the panels say of each trouble, with that bridge chosen. */
const told: readonly Told[] = [
	['sound', 'connectivity', 'Paths exhausted', found => found.every(one => last(one) === 0)],
	['sound', 'delivery', 'Oldest undelivered problem', found => found.every(one => last(one) === 0)],
	['sound', 'delivery', 'Held problems, by reason', found => some(found, {callhome_hold_reason: 'storm'}, one => last(one) > 0)],
	['sound', 'fleet', 'Problems that wait for somebody', found => found.some(one => last(one) > 0)],
	['sound', 'fleet', 'With an inventory', found => only(found) === 1],
	['sound', 'fleet', 'Inventories that are stale', found => only(found) === 0],
	['sound', 'fleet', 'Last heartbeat and inventory of each system B', found => found.length === 1 && only(found) < 60],
	['unavailable', 'fleet', 'With an inventory', found => only(found) === 0],
	['unavailable', 'fleet', 'Inventories that are stale', found => only(found) === 1],
	['unavailable', 'fleet', 'Last heartbeat and inventory of each system B', found => only(found) === Number.POSITIVE_INFINITY],
	[
		'proxy',
		'connectivity',
		'State of each connection to each destination',
		found =>
			some(found, {callhome_connection: 'proxy'}, one => last(one) === 1) &&
			some(found, {callhome_connection: 'direct'}, one => last(one) === 3),
	],
	[
		'proxy',
		'connectivity',
		'Failures by stage and reason',
		found => some(found, {callhome_connection_stage: 'connection'}, () => true),
	],
	['proxy', 'delivery', 'Events by decision', found => some(found, {callhome_decision: 'first'}, one => highest(one) > 0)],
	['proxy', 'connectivity', 'Paths exhausted', found => found.every(one => last(one) === 0)],
	['unavailable', 'delivery', 'Oldest undelivered problem', found => found.some(one => last(one) > 9)],
	['unavailable', 'delivery', 'Submissions that wait', found => found.some(one => last(one) > 0)],
	['unavailable', 'delivery', 'Attempts', found => found.some(one => one.metric.error_type !== undefined && highest(one) > 0)],
	['full', 'bridge', 'Refusals', found => some(found, {callhome_intake_outcome: 'refused'}, one => highest(one) > 0)],
	['full', 'bridge', 'Room of the store', found => found.every(one => last(one) < 2 * 1024 ** 2)],
	['certificate', 'connectivity', 'Certificates', found => found.some(one => last(one) > 0 && last(one) < 3 * 86_400)],
	['certificate', 'hardware', 'Failed parts', found => found.every(one => last(one) === 1)],
	[
		'certificate',
		'hardware',
		'Parts that are not well',
		found => some(found, {host_name: 'db01', hw_id: 'fan-1'}, one => last(one) === 4),
	],
	[
		'certificate',
		'hardware',
		'Systems over time',
		(found, to) =>
			some(found, {host_name: 'db02'}, ({values}) => to - (values?.at(-1)?.[0] ?? to) > 10) &&
			some(found, {host_name: oddName}, one => last(one) === 0),
	],
	['sound', 'delivery', 'Breaks of the ledger', found => only(found) === 0],
	['tampered', 'delivery', 'Breaks of the ledger', found => only(found) > 0],
	['tampered', 'delivery', 'Entries of the ledger', found => only(found) >= 2],
	['tampered', 'delivery', 'Last verification of the ledger', found => only(found) < 10],
	[
		'tampered',
		'delivery',
		'Breaks of the ledger, by kind',
		found =>
			some(
				found,
				{callhome_ledger_break: 'content'},
				one => last(one) > 0 && (one.values ?? []).some(([, value]) => value === '0'),
			) && some(found, {callhome_ledger_break: 'hash'}, one => highest(one) === 0),
	],
	['certificate', 'fleet', 'Systems that are read', found => found.every(one => highest(one) === 3 && last(one) === 2)],
];

/** What a panel finds, with one bridge chosen: its first query, or the one that stands behind its title. */
async function panelOf({url}: Prometheus, uid: string, title: string, host: string, since: number, to: number) {
	const board = await readBoard(uid);
	const targets = board.panels.flatMap(panel => (panel.targets ?? []).map(target => [panel.title, target] as const));
	const [, target] = targets.find(([of, {refId}]) => title === of || title === `${of} ${refId}`) ?? [];
	if (!target) throw new Error(`${uid} has no panel "${title}"`);
	const chosen = {instance: escapedInText(host)};
	const picked = await pickedOf(url, board, to, chosen);
	return (await askTarget(url, target, {from: since, to, step: 2}, {...chosen, picked})).found;
}

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
	for (const [trouble, board, title, is] of told) {
		const found = await panelOf(prometheus, `callhome-${board}`, title, instances[trouble], since, to);
		t.true(found.length > 0 && is(found, to), `${trouble}: ${title}: ${inspect(found, {depth: 4})}`);
	}
	const empty: string[] = [];
	for (const uid of boardUids.filter(name => name !== 'callhome-events')) {
		const board = await readBoard(uid);
		const picked = await pickedOf(prometheus.url, board, to);
		for (const panel of board.panels) {
			for (const target of panel.targets ?? []) {
				const name = `${uid}: ${panel.title} ${target.refId}`;
				const {ok, error, found} = await askTarget(prometheus.url, target, {from: since, to, step: 2}, {picked});
				t.true(ok, `${name}: ${error}`);
				if (found.every(isWithoutValue)) empty.push(name);
			}
		}
		for (const {name, expr} of board.annotations.list.filter(({expr}) => expr)) {
			const {ok, error, found} = await askTarget(prometheus.url, {expr}, {from: since, to, step: 2});
			t.true(ok && found.length > 0, `${uid}: ${name}: ${error}`);
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
