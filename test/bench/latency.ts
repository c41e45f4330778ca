import {setTimeout as pause} from 'node:timers/promises';
import {sandboxSchema} from '../../src/sandbox/config.ts';
import {createSandbox, type Sandbox} from '../../src/sandbox/server.ts';
import {eventually, temporaryDirectory} from '../helpers/listen.ts';
import {type Figure, quantile} from './parts/figures.ts';
import {type Bench, measure} from './parts/measure.ts';
import {configFor, startBridge} from './parts/servers.ts';

/**
From the OTLP request of a new fault to its acceptance by the sandbox over TLS: received, stored, decided, queued, taken from
the queue, written down and sent. The sandbox runs here, so that one clock tells both moments.
`node test/bench/latency.ts [--quick]`
*/

const intervalMillis = 50;
const now = () => performance.timeOrigin + performance.now();

const attribute = (key: string, stringValue: string) => ({key, value: {stringValue}});

/** A fault of a machine that has had none. */
const requestOf = (serialNumber: string) => ({
	resourceLogs: [
		{
			resource: {
				attributes: [
					attribute('host.name', `${serialNumber}.example`),
					attribute('callhome.system.type', '9105'),
					attribute('callhome.system.model', '42A'),
					attribute('callhome.system.serial_number', serialNumber),
				],
			},
			scopeLogs: [
				{
					logRecords: [
						{
							eventName: 'callhome.hardware.alert',
							severityNumber: 17,
							body: {stringValue: 'Drive 3 has failed'},
							attributes: [attribute('hw.id', 'drive-3'), attribute('hw.type', 'physical_disk'), attribute('hw.state', 'failed')],
						},
					],
				},
			],
		},
	],
});

const arrivalOf = (sandbox: Sandbox, serialNumber: string): number | undefined =>
	sandbox
		.received()
		.findLast(({eventType, assetId, fate}) => eventType === 'service' && assetId === serialNumber && fate === 'accepted')?.at;

async function millisFor(sandbox: Sandbox, otlp: URL, serialNumber: string): Promise<number> {
	const body = JSON.stringify(requestOf(serialNumber));
	const start = now();
	const response = await fetch(new URL('/v1/logs', otlp), {method: 'POST', headers: {'content-type': 'application/json'}, body});
	if (!response.ok) throw new Error(`the bridge answered ${response.status}: ${await response.text()}`);
	await response.arrayBuffer();
	return (await eventually(() => arrivalOf(sandbox, serialNumber), {intervalMillis: 5})) - start;
}

async function run({t, quick, say}: Bench): Promise<readonly Figure[]> {
	const sandbox = createSandbox({...sandboxSchema.parse({}), directory: await temporaryDirectory(t)}, now);
	t.teardown(() => sandbox.shutdown());
	await sandbox.start();
	const bridge = await startBridge(t, configFor({url: sandbox.url().href, caFile: sandbox.caFile}));
	const [warmUp, samples] = [quick ? 20 : 100, quick ? 50 : 300];
	const latencies: number[] = [];
	for (let index = 0; index < warmUp + samples; index++) {
		const [latency] = await Promise.all([millisFor(sandbox, bridge.otlp, `78B${1000 + index}`), pause(intervalMillis)]);
		if (index >= warmUp) latencies.push(latency);
	}
	say(`${samples} faults, the slowest ${Math.max(...latencies).toFixed(1)} ms`);
	return [
		{name: 'latency: request to acceptance, p50', value: quantile(latencies, 0.5), unit: 'ms', aim: {atMost: 15}},
		{name: 'latency: request to acceptance, p99', value: quantile(latencies, 0.99), unit: 'ms', aim: {atMost: 60}},
	];
}

await measure('latency', run);
