import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {BridgeError} from '../../src/errors.ts';
import type {Consume, HardwareEvent} from '../../src/event.ts';
import {createReaders} from '../../src/receivers/otlp/reading.ts';
import {defaultSelection} from '../../src/receivers/otlp/selection.ts';
import {type Collector, type CollectorConfig, startCollector} from '../helpers/collector.ts';
import {eventually, freePort, temporaryDirectory} from '../helpers/listen.ts';
import {startIntake} from '../helpers/otlp-intake.ts';
import {testWithPeer} from '../helpers/peers.ts';

const documented = await readFile(new URL('../../dashboards/collector/forward.yaml', import.meta.url), 'utf8');

const attribute = (key: string, stringValue: string) => ({key, value: {stringValue}});
type Attribute = ReturnType<typeof attribute>;

const alert = (uid: string) => ({
	eventName: 'callhome.hardware.alert',
	severityNumber: 17,
	attributes: [attribute('log.record.uid', uid), attribute('hw.id', 'psu-1')],
});

const chatter = (uid: string) => ({severityNumber: 9, attributes: [attribute('log.record.uid', uid)]});

const gauge = (name: string, ...attributes: readonly Attribute[]) => ({name, gauge: {dataPoints: [{asInt: '1', attributes}]}});

const logsBody = (logRecords: readonly object[]) => ({resourceLogs: [{scopeLogs: [{logRecords}]}]});
const metricsBody = (metrics: readonly object[]) => ({resourceMetrics: [{scopeMetrics: [{metrics}]}]});

/** The bridge's intake, over a store that can be busy: then nothing is kept and the sender is asked to come again. */
async function startBusyIntake(t: ExecutionContext, config: Parameters<typeof startIntake>[1] = {}) {
	const store = {isBusy: true, refusals: 0, events: new Map<string, HardwareEvent>()};
	const consume: Consume = async events => {
		if (store.isBusy) {
			store.refusals++;
			throw new BridgeError('ERR_STORE_BUSY', 'the store is busy');
		}
		for (const event of events) store.events.set(event.id, event);
		return events.map(() => 'first' as const);
	};
	const {url, counted} = await startIntake(t, config, {readers: createReaders(defaultSelection), consume});
	return {url, store, counted};
}

/** The documented configuration, with this test's addresses and a shorter patience. */
async function startForwarder(t: ExecutionContext, intake: URL, ...further: readonly CollectorConfig[]) {
	const receiver = `127.0.0.1:${await freePort()}`;
	const here = {
		receivers: {otlp: {protocols: {http: {endpoint: receiver}}}},
		exporters: {
			'otlp_http/callhome': {endpoint: intake.origin, retry_on_failure: {initial_interval: '50ms', max_interval: '200ms'}},
		},
		extensions: {'file_storage/callhome': {directory: 'queue', compaction: {directory: 'queue'}}},
	};
	const collector = await startCollector(t, [documented, here, ...further]);
	return {collector, url: new URL(`http://${receiver}`)};
}

async function post(t: ExecutionContext, url: URL, path: string, body: object): Promise<void> {
	const headers = {'content-type': 'application/json'};
	const response = await fetch(new URL(path, url), {method: 'POST', headers, body: JSON.stringify(body)});
	t.is(response.status, 200, await response.text());
}

/** Ten requests of ten alerts, each beside a record that is nobody's alert. Returns the alerts, all of them acknowledged. */
async function forward(t: ExecutionContext, url: URL, prefix: string): Promise<string[]> {
	const uids = Array.from({length: 100}, (_, index) => `${prefix}-${index}`);
	for (let start = 0; start < uids.length; start += 10) {
		const records = uids.slice(start, start + 10).flatMap(uid => [alert(uid), chatter(`chatter-${uid}`)]);
		await post(t, url, '/v1/logs', logsBody(records));
	}
	return uids;
}

async function arrived(events: ReadonlyMap<string, unknown>, uids: readonly string[], collector: Collector): Promise<void> {
	await eventually(() => uids.every(uid => events.has(uid)), {timeoutMillis: 60_000}).catch(cause => {
		const lost = uids.filter(uid => !events.has(uid));
		throw new Error(`${lost.length} of ${uids.length} alerts did not arrive\n${collector.logs().slice(-4000)}`, {cause});
	});
}

testWithPeer('otelcol', 'alerts that the intake refuses with 503 arrive when it takes them, and nothing else does', async t => {
	const {url, store, counted} = await startBusyIntake(t);
	const forwarder = await startForwarder(t, url);
	const uids = await forward(t, forwarder.url, 'refused');
	await eventually(() => store.refusals >= 3);
	t.is(store.events.size, 0);

	store.isBusy = false;
	await arrived(store.events, uids, forwarder.collector);
	t.deepEqual([...store.events.keys()].sort(), uids.sort());
	t.is(counted['logs filtered'], undefined, 'the Collector left the rest out');
});

testWithPeer('otelcol', 'alerts that a Collector has taken outlive its kill -9 while the intake refuses them', async t => {
	const {url, store} = await startBusyIntake(t);
	const forwarder = await startForwarder(t, url);
	const before = await forward(t, forwarder.url, 'before');
	await eventually(() => store.refusals >= 3);
	await forwarder.collector.stop('SIGKILL');
	t.is(store.events.size, 0);

	await forwarder.collector.restart();
	const after = await forward(t, forwarder.url, 'after');
	store.isBusy = false;
	await arrived(store.events, [...before, ...after], forwarder.collector);
	t.deepEqual([...store.events.keys()].sort(), [...before, ...after].sort());
});

testWithPeer('otelcol', 'hardware metrics come with a bearer token from a file, other metrics stay behind', async t => {
	const {url, store, counted} = await startBusyIntake(t, {bearer_token: 'its-token'});
	store.isBusy = false;
	const tokenFile = join(await temporaryDirectory(t), 'token');
	await writeFile(tokenFile, 'its-token');
	const forwarder = await startForwarder(t, url, {
		extensions: {'bearertokenauth/callhome': {filename: tokenFile}},
		exporters: {'otlp_http/callhome': {auth: {authenticator: 'bearertokenauth/callhome'}}},
		service: {extensions: ['file_storage/callhome', 'bearertokenauth/callhome']},
	});
	const failed = gauge('hw.status', attribute('hw.id', 'fan-1'), attribute('hw.state', 'failed'));
	await post(t, forwarder.url, '/v1/metrics', metricsBody([gauge('system.cpu.utilization'), failed, gauge('hw.temperature')]));

	await eventually(() => store.events.size > 0);
	t.deepEqual(
		[...store.events.values()].map(({name, attributes}) => `${name} ${attributes['hw.id']}`),
		['hw.status fan-1'],
	);
	t.is(counted['metrics filtered'], undefined, 'the Collector left the rest out');
});
