import {once} from 'node:events';
import {createWriteStream} from 'node:fs';
import {stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {MeterProvider} from '@opentelemetry/sdk-metrics';
import {createPrometheusReader} from '../../src/own-telemetry/prometheus.ts';
import {createReadings} from '../../src/own-telemetry/readings.ts';
import {alertRequest, post} from '../helpers/bridge.ts';
import {startBridgeProcess} from '../helpers/bridge-process.ts';
import {eventually, freePort, temporaryDirectory} from '../helpers/listen.ts';
import {askTarget, readBoard} from '../helpers/panels.ts';
import {requiredPeer} from '../helpers/peer-binaries.ts';
import {startProgram} from '../helpers/program.ts';
import {promtool} from '../helpers/promtool.ts';
import {readingsOf} from '../helpers/trouble.ts';
import {type Figure, median} from './parts/figures.ts';
import {type Bench, measure} from './parts/measure.ts';

/**
What the telemetry of many systems costs: series, a scrape, and the slowest panel of the fleet over a month, from blocks that
promtool makes. `node test/bench/dashboards.ts [--quick]`
*/

const day = 86_400;
const nameOf = (index: number) => `host-${String(index).padStart(4, '0')}`;
const serialOf = (index: number) => `S${String(index).padStart(6, '0')}`;
const systemOf = (index: number) => ({
	match: {'host.name': nameOf(index)},
	name: nameOf(index),
	machine_type: '8871',
	model: 'AC1',
	serial_number: serialOf(index),
});

const seriesOf = (page: string) => page.split('\n').filter(line => line !== '' && !line.startsWith('#')).length;

async function scrapes(url: URL, count: number) {
	const millis: number[] = [];
	let page = '';
	for (let turn = 0; turn < count; turn++) {
		const began = performance.now();
		page = await (await fetch(url)).text();
		millis.push(performance.now() - began);
	}
	return {page, millis: median(millis)};
}

async function measureScrapes({t, quick, say}: Bench): Promise<readonly Figure[]> {
	const count = quick ? 50 : 1000;
	const bridge = await startBridgeProcess(t, {systems: Array.from({length: count}, (_, index) => systemOf(index))});
	for (let from = 0; from < count; from += 50) {
		await post(bridge.otlp, alertRequest(...Array.from({length: 50}, (_, index) => ({host: nameOf(from + index)}))));
	}
	await eventually(
		async () => {
			const {page} = await scrapes(bridge.metrics, 1);
			return page.split('\n').filter(line => line.startsWith('callhome_system_heartbeat')).length === count;
		},
		{timeoutMillis: 300_000, intervalMillis: 1000},
	);
	const {page, millis} = await scrapes(bridge.metrics, quick ? 3 : 15);
	const {readingSeries, readingMillis, readingBytes} = await measureReadings(count);
	say(`${count} systems, ${seriesOf(page)} series of the bridge, ${readingSeries} of their hardware`);
	const ofSystems = page.split('\n').filter(line => line.startsWith('callhome_system_')).length;
	const alone = seriesOf(page) - ofSystems;
	const perSystem = (ofSystems + readingSeries) / count;
	return [
		{name: 'dashboards: series of a bridge that has sent over one connection', value: alone, unit: 'series', aim: {atMost: 250}},
		{
			name: 'dashboards: series of a system, with 12 readings of its hardware',
			value: perSystem,
			unit: 'series',
			aim: {atMost: 60},
		},
		{name: `dashboards: scrape, ${count} systems without readings`, value: millis, unit: 'ms'},
		{name: `dashboards: page, ${count} systems without readings`, value: page.length / 1024, unit: 'KiB'},
		{name: `dashboards: page of the readings of ${count} systems`, value: readingMillis, unit: 'ms'},
		{name: `dashboards: page of the readings of ${count} systems`, value: readingBytes / 1024, unit: 'KiB'},
	];
}

async function measureReadings(count: number) {
	const readings = createReadings();
	const {reader, page} = createPrometheusReader(readings.onPoints);
	const provider = new MeterProvider({readers: [reader]});
	for (let index = 0; index < count; index++) {
		const {name, machine_type, model, serial_number} = systemOf(index);
		const resource = {
			'host.name': name,
			'callhome.system.type': machine_type,
			'callhome.system.model': model,
			'callhome.system.serial_number': serial_number,
		};
		readings.measure('bench', resource, readingsOf(index, false), Date.now());
	}
	const millis: number[] = [];
	let text = '';
	for (let turn = 0; turn < 5; turn++) {
		const began = performance.now();
		text = await page();
		millis.push(performance.now() - began);
	}
	await provider.shutdown();
	return {readingSeries: seriesOf(text), readingMillis: median(millis), readingBytes: Buffer.byteLength(text)};
}

/** One sample an hour: more would take promtool minutes. */
async function writeHistory(file: string, systems: number, days: number, now: number): Promise<void> {
	const stream = createWriteStream(file);
	const write = async (text: string) => {
		if (!stream.write(text)) await once(stream, 'drain');
	};
	const times = Array.from({length: days * 24}, (_, hour) => now - (days * 24 - hour) * 3600);
	const who = 'job="callhome-bridge",instance="i1"';
	const labels = (index: number) =>
		`${who},host_name="${nameOf(index)}",callhome_system_type="8871",callhome_system_model="AC1",callhome_system_serial_number="${serialOf(index)}"`;
	const family = async (name: string, lines: (time: number) => string[]) => {
		await write(`# TYPE ${name} gauge\n`);
		for (const time of times)
			await write(
				lines(time)
					.map(line => `${line} ${time}\n`)
					.join(''),
			);
	};
	const each = (line: (index: number) => string) => Array.from({length: systems}, (_, index) => line(index));
	await family('callhome_heartbeat_interval_seconds', () => [`callhome_heartbeat_interval_seconds{${who}} 1800`]);
	await family('callhome_system_heartbeat_last_success_timestamp_seconds', time =>
		each(index => `callhome_system_heartbeat_last_success_timestamp_seconds{${labels(index)}} ${time - (index % 1800)}`),
	);
	await family('callhome_system_problems', () =>
		each(index => `callhome_system_problems{${labels(index)},callhome_problem_state="open"} ${index % 3}`),
	);
	await write('# EOF\n');
	stream.end();
	await once(stream, 'close');
}

async function measureQueries({t, quick, say}: Bench): Promise<readonly Figure[]> {
	const [systems, days] = quick ? [50, 3] : [1000, 30];
	const directory = await temporaryDirectory(t);
	const now = Math.floor(Date.now() / 1000 / 3600) * 3600;
	const history = join(directory, 'history.txt');
	await writeHistory(history, systems, days, now);
	say(`${Math.round((await stat(history)).size / 1024 ** 2)} MiB of samples go to Prometheus`);
	const data = join(directory, 'data');
	const {ok, output} = await promtool(
		'tsdb',
		'create-blocks-from',
		'openmetrics',
		'--max-block-duration=768h',
		'-q',
		history,
		data,
	);
	if (!ok) throw new Error(output);
	const url = new URL(`http://127.0.0.1:${await freePort()}`);
	const config = join(directory, 'prometheus.yaml');
	await writeFile(config, 'global: {}\n');
	await startProgram(t, requiredPeer('prometheus'), [
		`--config.file=${config}`,
		`--storage.tsdb.path=${data}`,
		'--storage.tsdb.retention.time=10y',
		'--query.lookback-delta=61m',
		`--web.listen-address=${url.host}`,
		'--log.level=error',
	]);
	await eventually(async () => (await fetch(new URL('/-/ready', url))).ok, {timeoutMillis: 120_000});
	const range = {from: now - days * day, to: now - 3600, step: Math.max(1800, Math.ceil((days * day) / 1000))};
	let slowest = {name: '', millis: 0};
	for (const {title, targets = []} of (await readBoard('callhome-fleet')).panels) {
		for (const target of targets) {
			const {ok: isAnswered, error, found, millis} = await askTarget(url, target, range);
			if (!isAnswered) throw new Error(`${title}: ${error}`);
			if (found.length > 0 && millis > slowest.millis) slowest = {name: title, millis};
		}
	}
	if (slowest.millis === 0) throw new Error('no panel has data');
	say(`the slowest panel is "${slowest.name}"`);
	return [
		{name: `dashboards: slowest panel of the fleet, ${systems} systems, ${days} days`, value: slowest.millis / 1000, unit: 's'},
	];
}

await measure('dashboards', async bench => [...(await measureScrapes(bench)), ...(await measureQueries(bench))]);
