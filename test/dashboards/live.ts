import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {ExecutionContext} from 'ava';
import {filesOf} from '../../dashboards/generate.ts';
import {alertRequest, post, settingsOf} from '../helpers/bridge.ts';
import {eventually, freePort, temporaryDirectory} from '../helpers/listen.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {startProgram} from '../helpers/program.ts';
import {startPrometheus} from '../helpers/prometheus.ts';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const system = {machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C'};

/** A bridge as a process of its own: one process has one meter. */
async function startBridge(t: ExecutionContext, settings: Record<string, unknown>) {
	const directory = await temporaryDirectory(t);
	const file = join(directory, 'callhome.yaml');
	await writeFile(file, JSON.stringify(settingsOf(directory, {system, ...settings})));
	const program = await startProgram(t, process.execPath, [cli, 'run', '--config', file, '--json']);
	await program.waitFor('"ready":true', {timeoutMillis: 60_000});
	const line = program.output().split('\n');
	const {urls} = JSON.parse(line.find(text => text.includes('"ready":true')) ?? '') as {urls: {otlp: string; metrics: string}};
	return {stop: program.stop, otlp: new URL(urls.otlp), metrics: new URL(urls.metrics)};
}

testWithPeer(
	'prometheus',
	'the alerts of a bridge without any way fire in Prometheus, and those of a sound one do not',
	async t => {
		const closed = await freePort();
		const [lost, sound] = await Promise.all([
			startBridge(t, {
				connections: [{proxy: {url: `http://127.0.0.1:${closed}`}}],
				service_information: {heartbeat: {interval: '2s'}},
			}),
			startBridge(t, {}),
		]);
		// Five minutes are three seconds, and a day is fourteen minutes.
		const rules = filesOf({pace: 0.01})['prometheus/connectivity.rules.yaml'] ?? '';
		const prometheus = await startPrometheus(t, {targets: [lost.metrics, sound.metrics], rules});
		for (const {otlp} of [lost, sound]) t.is((await post(otlp, alertRequest({serial: 'J1A2B3C'}))).status, 200);
		const firing = async ({metrics}: {metrics: URL}) =>
			(await prometheus.alerts()).filter(({state, labels}) => state === 'firing' && labels.instance === metrics.host);
		const named = async (bridge: {metrics: URL}, name: string) =>
			(await firing(bridge)).find(({labels}) => labels.alertname === name);

		const patience = {timeoutMillis: 60_000, intervalMillis: 200};
		const exhausted = await eventually(() => named(lost, 'CallHomePathsExhausted'), patience);
		t.is(exhausted.labels.severity, 'critical');
		t.regex(exhausted.labels.callhome_destination ?? '', /^127\.0\.0\.1:\d+$/);
		t.regex(exhausted.annotations.description ?? '', /The oldest undelivered problem waits for [1-9][\d.]*m?s/);
		await eventually(() => named(lost, 'CallHomeHeartbeatOverdue'), patience);
		const stage = await eventually(() => named(lost, 'CallHomeStageFailing'), patience);
		t.like(stage.labels, {callhome_connection_stage: 'connection', error_type: 'ERR_CONNECTION_REFUSED'});

		const ofSound = (await firing(sound)).map(({labels}) => labels.alertname);
		t.deepEqual(
			ofSound.filter(name => name !== 'CallHomeSandboxInUse'),
			[],
		);
		t.is(
			(await prometheus.query('callhome_connection_exhausted')).find(({metric}) => metric.instance === sound.metrics.host)?.value,
			0,
		);

		await sound.stop('SIGKILL');
		await eventually(() => named(sound, 'CallHomeBridgeAbsent'), patience);
		t.is(await named(lost, 'CallHomeBridgeAbsent'), undefined);
	},
);
