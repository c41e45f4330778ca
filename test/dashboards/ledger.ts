import {cp, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {filesOf} from '../../dashboards/generate.ts';
import {alertRequest, post} from '../helpers/bridge.ts';
import {startBridgeProcess} from '../helpers/bridge-process.ts';
import {eventually, freePort, temporaryDirectory} from '../helpers/listen.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {type Prometheus, startPrometheus} from '../helpers/prometheus.ts';

const system = {machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C'};
const patience = {timeoutMillis: 60_000, intervalMillis: 200};
const page = async () => `127.0.0.1:${await freePort()}`;

/** A bridge that can be started again: its store and its page stay where they are. */
async function startLasting(t: ExecutionContext, ledger_verification: string) {
	const store = join(await temporaryDirectory(t), 'state');
	const metrics_endpoint = await page();
	const start = () =>
		startBridgeProcess(t, {system, telemetry: {metrics_endpoint}, store: {directory: store, ledger_verification}});
	return {store, host: metrics_endpoint, start, first: await start()};
}

async function startScene(t: ExecutionContext) {
	const [restored, restarted, unverified] = await Promise.all(['1s', '1s', '1h'].map(often => startLasting(t, often)));
	if (!restored || !restarted || !unverified) throw new Error('there are three');
	const rules = filesOf({pace: 0.001})['prometheus/problems.rules.yaml'] ?? '';
	const targets = [restored, restarted, unverified].map(({first}) => first.metrics);
	return {restored, restarted, unverified, prometheus: await startPrometheus(t, {targets, rules})};
}

const entriesOf = async ({query}: Prometheus, host: string) =>
	(await query(`callhome_ledger_entries_total{instance="${host}"}`))[0]?.value ?? 0;

/** Alerts about the ledger that fire for a bridge, each with the kind of the break. */
const firing = async ({alerts}: Prometheus, host: string) =>
	(await alerts())
		.filter(({state, labels}) => state === 'firing' && labels.instance === host && labels.alertname?.includes('Ledger'))
		.map(({labels}) => [labels.alertname, labels.callhome_ledger_break].filter(text => text !== undefined).join(' '));

const send = async (otlp: URL, ...ids: readonly string[]) => {
	await post(otlp, alertRequest(...ids.map(id => ({id, host: 'db01', serial: 'J1A2B3C'}))));
};

testWithPeer('prometheus', 'a store of an earlier day is noticed from outside, and a restart is none', async t => {
	t.timeout(180_000);
	const {restored, restarted, unverified, prometheus} = await startScene(t);
	for (const {first} of [restored, restarted, unverified]) await send(first.otlp, 'drive-1');
	for (const {host} of [restored, restarted]) await eventually(async () => (await entriesOf(prometheus, host)) >= 4, patience);

	await restored.first.stop('SIGTERM');
	const backup = `${restored.store}.backup`;
	await cp(restored.store, backup, {recursive: true, filter: file => !file.endsWith('.sock')});
	const again = await restored.start();
	const before = await entriesOf(prometheus, restored.host);
	await send(again.otlp, 'drive-2', 'drive-3', 'drive-4');
	await eventually(async () => (await entriesOf(prometheus, restored.host)) >= before + 6, patience);
	t.deepEqual(await firing(prometheus, restored.host), []);

	await Promise.all([again.stop('SIGTERM'), restarted.first.stop('SIGKILL')]);
	await rm(restored.store, {recursive: true});
	await rename(backup, restored.store);
	await Promise.all([restored.start(), restarted.start()]);
	await eventually(async () => (await firing(prometheus, restored.host)).includes('CallHomeLedgerBroken went_back'), patience);
	await eventually(async () => (await firing(prometheus, unverified.host)).includes('CallHomeLedgerUnverified'), patience);
	t.deepEqual(await firing(prometheus, restored.host), ['CallHomeLedgerBroken went_back'], 'the chain itself is whole');
	t.deepEqual(await firing(prometheus, unverified.host), ['CallHomeLedgerUnverified']);
	t.true((await entriesOf(prometheus, restarted.host)) >= 4);
	t.deepEqual(await firing(prometheus, restarted.host), []);
});
