import {once} from 'node:events';
import {createWriteStream} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {hardwareMetrics} from '../../../src/hardware-metrics.ts';
import {labelNameOf, metricNameOf} from '../../../src/own-telemetry/names.ts';
import {problemStates} from '../../../src/problem.ts';
import {eventually, freePort, temporaryDirectory} from '../../helpers/listen.ts';
import {requiredPeer} from '../../helpers/peer-binaries.ts';
import {startProgram} from '../../helpers/program.ts';
import {promtool} from '../../helpers/promtool.ts';
import {readingsOf} from '../../helpers/trouble.ts';

export const nameOf = (index: number) => `host-${String(index).padStart(4, '0')}`;
export const serialOf = (index: number) => `S${String(index).padStart(6, '0')}`;

/** One sample in two hours: more would take promtool minutes. */
const betweenSamples = 7200;
const who = 'job="callhome-bridge",instance="i1"';
const systemLabels = (index: number) =>
	`${who},host_name="${nameOf(index)}",callhome_system_type="8871",callhome_system_model="AC1",callhome_system_serial_number="${serialOf(index)}"`;
const unfinished = problemStates.filter(state => state !== 'closed');

/** One a day; that of one system in a hundred stays away since the beginning. */
const lastInventory = (index: number, time: number) =>
	index % 100 === 7 ? 1_700_000_000 : Math.floor((time - index) / 86_400) * 86_400 + index;

/** Series of one name by their labels, with their value at a moment. */
type Family = {readonly name: string; readonly series: readonly (readonly [labels: string, valueAt: (time: number) => number])[]};

function familiesOf(systems: number): readonly Family[] {
	const each = <Value>(make: (index: number) => Value) => Array.from({length: systems}, (_, index) => make(index));
	const always = (value: number) => () => value;
	const states = (count: number) =>
		unfinished.map((state, place) => [`callhome_problem_state="${state}"`, always((count + place) % 3)] as const);
	return [
		{name: 'callhome_heartbeat_interval_seconds', series: [[who, always(1800)]]},
		{name: 'callhome_inventory_interval_seconds', series: [[who, always(86_400)]]},
		{name: 'callhome_clock_time_seconds', series: [[who, time => time]]},
		{name: 'callhome_problems', series: states(7).map(([labels, value]) => [`${who},${labels}`, value])},
		{
			name: 'callhome_systems',
			series: ['answered', 'missed', 'never'].map(state => [`${who},callhome_heartbeat_state="${state}"`, always(systems / 3)]),
		},
		{name: 'callhome_systems_read', series: [[who, always(systems)]]},
		{
			name: 'callhome_system_heartbeat_last_success_timestamp_seconds',
			series: each(index => [systemLabels(index), time => time - (index % 1800)]),
		},
		{
			name: 'callhome_system_inventory_last_success_timestamp_seconds',
			series: each(index => [systemLabels(index), time => lastInventory(index, time)]),
		},
		{
			name: 'callhome_system_inventory_due_timestamp_seconds',
			series: each(index => [systemLabels(index), time => lastInventory(index, time) + 86_400]),
		},
		{
			name: 'callhome_system_problems',
			series: each(index => states(index).map(([labels, value]) => [`${systemLabels(index)},${labels}`, value] as const)).flat(),
		},
		...hardwareFamilies(systems),
	];
}

/** The readings that a source makes of each machine; one in fifty is ill. */
function hardwareFamilies(systems: number): Family[] {
	const readings = Array.from({length: systems}, (_, index) =>
		readingsOf(index, index % 50 === 0).map(reading => ({...reading, system: index})),
	).flat();
	return [...Map.groupBy(readings, ({metric}) => metric)].map(([metric, all]) => {
		const {name, unit, instrument} = hardwareMetrics.get(metric) ?? {name: metric, unit: '', instrument: 'gauge' as const};
		return {
			name: metricNameOf(name, unit, instrument) ?? name,
			series: all.map(({attributes, system, value}) => {
				const labels = Object.entries(attributes).map(([key, text]) => `${labelNameOf(key)}="${text}"`);
				return [`${systemLabels(system)},${labels.join(',')}`, () => value] as const;
			}),
		};
	});
}

async function writeHistory(file: string, families: readonly Family[], times: readonly number[]): Promise<void> {
	const stream = createWriteStream(file);
	const write = async (text: string) => {
		if (!stream.write(text)) await once(stream, 'drain');
	};
	for (const {name, series} of families) {
		await write(`# TYPE ${name} ${name.endsWith('_total') ? 'unknown' : 'gauge'}\n`);
		for (const time of times) {
			const lines = series.map(([labels, valueAt]) => `${name}{${labels}} ${valueAt(time)} ${time}\n`);
			await write(lines.join(''));
		}
	}
	await write('# EOF\n');
	stream.end();
	await once(stream, 'close');
}

/** A real Prometheus that has the history of so many systems, up to now. */
export async function startHistory(t: ExecutionContext, {systems, days}: {systems: number; days: number}) {
	const directory = await temporaryDirectory(t);
	const until = Math.floor(Date.now() / 1000 / betweenSamples) * betweenSamples;
	const count = (days * 86_400) / betweenSamples;
	const times = Array.from({length: count}, (_, index) => until - (count - index) * betweenSamples);
	const [history, data, config] = ['history.txt', 'data', 'prometheus.yaml'].map(name => join(directory, name)) as [
		string,
		string,
		string,
	];
	const families = familiesOf(systems);
	await writeHistory(history, families, times);
	const made = await promtool('tsdb', 'create-blocks-from', 'openmetrics', '--max-block-duration=768h', '-q', history, data);
	if (!made.ok) throw new Error(made.output);
	const url = new URL(`http://127.0.0.1:${await freePort()}`);
	await writeFile(config, 'global: {}\n');
	await startProgram(t, requiredPeer('prometheus'), [
		`--config.file=${config}`,
		`--storage.tsdb.path=${data}`,
		'--storage.tsdb.retention.time=10y',
		`--query.lookback-delta=${betweenSamples + 60}s`,
		`--web.listen-address=${url.host}`,
		'--log.level=error',
	]);
	await eventually(async () => (await fetch(new URL('/-/ready', url))).ok, {timeoutMillis: 120_000});
	const series = families.reduce((sum, family) => sum + family.series.length, 0);
	return {url, from: until - days * 86_400, to: until - betweenSamples, series};
}
