import {readFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {composeUp} from '../helpers/compose/compose.ts';
import {eventually} from '../helpers/listen.ts';
import {askTarget, pickedOf, readBoard} from '../helpers/panels.ts';
import {testWithPeer} from '../helpers/peers.ts';

const composeFile = fileURLToPath(new URL('../../dashboards/provisioning/docker-compose.yaml', import.meta.url));
const patience = {timeoutMillis: 120_000, intervalMillis: 500};

/** The request of the README's first page. */
async function firstAlert(): Promise<RequestInit> {
	const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
	const [, body] = /curl \S+\/v1\/logs -H 'content-type: application\/json' -d '([^']+)'/.exec(readme) ?? [];
	if (body === undefined) throw new Error('the README has no first alert');
	return {method: 'POST', headers: {'content-type': 'application/json'}, body};
}

const ask = async <Data>(url: URL, path: string) => ((await (await fetch(new URL(path, url))).json()) as {data: Data}).data;

/** The panels of which no query has an answer now, as Grafana would ask with the interval of the compose file. */
async function emptyPanels(prometheus: URL): Promise<string[]> {
	const to = Date.now() / 1000;
	const empty: string[] = [];
	for (const uid of ['connectivity', 'delivery', 'fleet', 'bridge']) {
		const board = await readBoard(`callhome-${uid}`);
		const picked = await pickedOf(prometheus, board, to);
		for (const {title, targets = []} of board.panels.filter(({type}) => type !== 'row')) {
			const asked = targets.map(target =>
				askTarget(prometheus, target, {from: to - 60, to, step: 15}, {interval: '60s', picked}),
			);
			if ((await Promise.all(asked)).every(({found}) => found.length === 0)) empty.push(title);
		}
	}
	return empty;
}

const notHere: typeof testWithPeer = (_, title, implementation) =>
	test.skip(`${title} (only root makes namespaces)`, implementation);
const isRoot = process.getuid?.() === 0 || process.env.CI;

(isRoot ? testWithPeer : notHere)(
	['otelcol', 'prometheus3', 'prometheus-alertmanager', 'ip'],
	'what the compose file starts finds each other, and every panel has data that should have some',
	async t => {
		t.timeout(400_000);
		const {programs, publish} = await composeUp(t, composeFile);
		const [otlp, prometheus, alertmanager, page] = await Promise.all([
			publish(4319),
			publish(9090),
			publish(9093),
			publish(8889),
		]);
		const alert = await firstAlert();
		await eventually(async () => (await fetch(new URL('/v1/logs', otlp), alert)).ok, patience);

		// Nothing has failed, and nobody uses the support proxy.
		const wanted = ['Failures by stage and reason', 'Requests to the support proxy', 'Tunnels of the support proxy'];
		let empty: string[] = [];
		const settled = async () => {
			empty = await emptyPanels(prometheus);
			return empty.join() === wanted.join();
		};
		await eventually(settled, patience).catch(() => {});
		t.deepEqual(empty, wanted);

		const {groups} = await ask<{groups: {rules: {name: string; health: string}[]}[]}>(prometheus, '/api/v1/rules');
		const rules = groups.flatMap(group => group.rules);
		t.true(rules.length > 30);
		t.deepEqual(
			rules.filter(({health}) => health !== 'ok'),
			[],
		);
		const told = async () =>
			(await (await fetch(new URL('/api/v2/alerts', alertmanager))).json()) as {labels: {alertname: string}}[];
		await eventually(async () => (await told()).some(({labels}) => labels.alertname === 'CallHomeWatchdog'), patience);

		await eventually(
			async () => (await (await fetch(new URL('/metrics', page))).text()).includes('callhome_problems{'),
			patience,
		);
		const events = () => readFile(`/proc/${programs.collector?.pid}/root/var/lib/otelcol/callhome-events.json`, 'utf8');
		await eventually(async () => (await events()).includes('Drive 3 has failed'), patience);
	},
);
