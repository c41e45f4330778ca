import {MeterProvider} from '@opentelemetry/sdk-metrics';
import {createPrometheusReader} from '../../src/own-telemetry/prometheus.ts';
import {createReadings} from '../../src/own-telemetry/readings.ts';
import {alertRequest, post} from '../helpers/bridge.ts';
import {startBridgeProcess} from '../helpers/bridge-process.ts';
import {eventually, temporaryDirectory} from '../helpers/listen.ts';
import {askTarget, type Panel, pickedOf, readBoard} from '../helpers/panels.ts';
import {readingsOf} from '../helpers/trouble.ts';
import {alertDelays} from './parts/alert-delays.ts';
import {type Figure, median} from './parts/figures.ts';
import {nameOf, serialOf, startHistory} from './parts/fleet-history.ts';
import {type Bench, measure} from './parts/measure.ts';

/**
What the telemetry of many systems costs: series, a scrape, and the slowest panel over a month, from blocks that promtool makes;
and how long after a trouble each alert fires. `node test/bench/dashboards.ts [--quick]`
*/

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
	const {readingSeries, readingMillis, readingTurnMillis, readingBytes} = await measureReadings(count);
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
		{name: `dashboards: page of the readings of ${count} systems, longest turn`, value: readingTurnMillis, unit: 'ms'},
		{name: `dashboards: page of the readings of ${count} systems`, value: readingBytes / 1024, unit: 'KiB'},
	];
}

/** For how long a timer that is due at once waited, at the most. */
function gapsBetweenTurns() {
	let last = performance.now();
	let most = 0;
	const note = () => {
		most = Math.max(most, performance.now() - last);
		last = performance.now();
	};
	const timer = setInterval(note, 1);
	return {
		longest() {
			clearInterval(timer);
			note();
			return most;
		},
	};
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
	const longest: number[] = [];
	let text = '';
	for (let turn = 0; turn < 5; turn++) {
		const gaps = gapsBetweenTurns();
		const began = performance.now();
		text = await page();
		millis.push(performance.now() - began);
		longest.push(gaps.longest());
	}
	await provider.shutdown();
	return {
		readingSeries: seriesOf(text),
		readingMillis: median(millis),
		readingTurnMillis: median(longest),
		readingBytes: Buffer.byteLength(text),
	};
}

/** Pixels of a whole row: Grafana asks for as many values as a panel is wide. */
const rowWidth = 1500;
const stepOf = ({gridPos, interval}: Panel, seconds: number) =>
	Math.max(interval === '30m' ? 1800 : 15, Math.ceil(seconds / ((rowWidth * gridPos.w) / 24)));

type Asked = {readonly name: string; readonly millis: number};

/** How long each panel of a board takes, and what is picked out first. */
async function askBoard(uid: string, url: URL, from: number, to: number): Promise<readonly Asked[]> {
	const board = await readBoard(uid);
	const began = performance.now();
	const picked = await pickedOf(url, board, to);
	const asked: Asked[] = [{name: 'the systems that are picked out', millis: performance.now() - began}];
	for (const panel of board.panels) {
		for (const target of panel.targets ?? []) {
			const range = {from, to, step: stepOf(panel, to - from)};
			const {ok, error, found, millis} = await askTarget(url, target, range, {picked, interval: '5h'});
			if (!ok) throw new Error(`${panel.title}: ${error}`);
			if (found.length > 0) asked.push({name: panel.title, millis});
		}
	}
	return asked;
}

async function measureQueries({t, quick, say}: Bench): Promise<readonly Figure[]> {
	const [systems, days] = quick ? [50, 3] : [1000, 30];
	const {url, from, to, series} = await startHistory(t, {systems, days});
	say(`Prometheus has ${series} series of ${days} days`);
	const figures: Figure[] = [];
	for (const [name, least] of [
		['fleet', 10],
		['hardware', 10],
	] as const) {
		const asked = await askBoard(`callhome-${name}`, url, from, to);
		if (asked.length < least) throw new Error(`only ${asked.length} queries of ${name} have data`);
		const [slowest] = asked.toSorted((one, other) => other.millis - one.millis);
		say(`the slowest panel of ${name} is "${slowest?.name}"`);
		figures.push({
			name: `dashboards: slowest panel of ${name}, ${systems} systems, ${days} days`,
			value: (slowest?.millis ?? Number.NaN) / 1000,
			unit: 's',
			aim: {atMost: 2},
		});
	}
	return figures;
}

async function measureAlerts({t}: Bench): Promise<readonly Figure[]> {
	const delays = await alertDelays(await temporaryDirectory(t));
	return delays
		.filter(({severity}) => severity !== 'none')
		.map(({alert, severity, minutes}) => ({
			name: `dashboards: from the trouble to ${alert} (${severity})`,
			value: minutes,
			unit: 'min',
		}));
}

await measure('dashboards', async bench => [
	...(await measureScrapes(bench)),
	...(await measureQueries(bench)),
	...(await measureAlerts(bench)),
]);
