import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {stringify} from 'yaml';
import {temporaryDirectory} from '../helpers/listen.ts';
import {readBoard, withVariables} from '../helpers/panels.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {promtool} from '../helpers/promtool.ts';

/** Faults are rare: what a board shows of the very first one, in the life of a bridge, is what it shows at all. */

const panels = (await Promise.all(['callhome-delivery', 'callhome-connectivity'].map(readBoard))).flatMap(board => board.panels);

type Seen = {
	readonly panel: string;
	/** Values of each series, one a minute. */
	readonly series: Readonly<Record<string, string>>;
	/** When the bridge is seen, and since when it runs, one value a minute. It runs all the time when nothing is said. */
	readonly bridge?: {readonly known: string; readonly uptime: string};
	readonly at: string;
	readonly shown: readonly {readonly labels: string; readonly value: number}[];
};

const always = {known: '900x300', uptime: '3600+60x300'};
const who = 'job="callhome-bridge", instance="i1"';

/** Asks for what the first query of a panel shows. */
async function shows(t: ExecutionContext, {panel, series, bridge = always, at, shown}: Seen) {
	const expr = panels.find(({title}) => title === panel)?.targets?.[0]?.expr ?? '';
	const all = {
		...series,
		[`callhome_heartbeat_interval_seconds{${who}}`]: bridge.known,
		[`process_uptime_seconds{${who}}`]: bridge.uptime,
	};
	const file = join(await temporaryDirectory(t), 'rare.test.yaml');
	const one = {
		interval: '1m',
		input_series: Object.entries(all).map(([name, values]) => ({series: name, values})),
		promql_expr_test: [{expr: withVariables(expr, {interval: '2m', range: '1h'}), eval_time: at, exp_samples: shown}],
	};
	await writeFile(file, stringify({evaluation_interval: '1m', tests: [one]}, {lineWidth: 0}));
	const {ok, output} = await promtool('test', 'rules', file);
	t.true(ok, output);
}

/** How long answers to hardware alerts took: by the bound of the bucket, `count` for all. */
const durations = (values: Readonly<Record<string, string>>) =>
	Object.fromEntries(
		Object.entries(values).map(([bound, text]) => {
			const labels = `${who}, callhome_submission_type="hardware_alert"`;
			const name = 'callhome_submission_duration_seconds';
			return [bound === 'count' ? `${name}_count{${labels}}` : `${name}_bucket{${labels}, le="${bound}"}`, text];
		}),
	);

const duration = 'From event to acceptance, and to case number';
const first = '_x10 1x100';
const never = '_x10 0x100';

testWithPeer('promtool', 'the first case in the life of a bridge shows how long it took', async t => {
	const series = durations({'5': never, '10': first, '+Inf': first});
	await shows(t, {panel: duration, series, at: '11m', shown: [{labels: '{}', value: 9.75}]});
});

testWithPeer('promtool', 'the first case in the life of a bridge counts for the objective', async t => {
	const panel = 'Within the objective';
	const labels = '{instance="i1"}';
	const bridge = {known: '900x100', uptime: '20+60x100'};
	await shows(t, {panel, bridge, series: durations({'250': first, count: first}), at: '40m', shown: [{labels, value: 1}]});
	await shows(t, {panel, bridge, series: durations({'250': never, count: first}), at: '40m', shown: [{labels, value: 0}]});
});

testWithPeer(
	'promtool',
	'what was answered before the range does not count for the objective, nor does a restart take from it',
	async t => {
		const panel = 'Within the objective';
		const [quick, all] = ['100x70 100+1x30 0+1x20', '100x70 100+2x30 0+2x20'];
		await shows(t, {
			panel,
			series: durations({'250': quick, count: all}),
			at: '120m',
			shown: [{labels: '{instance="i1"}', value: 0.5}],
		});
		await shows(t, {
			panel,
			series: durations({'250': '100x200', count: '200x200'}),
			at: '120m',
			shown: [],
		});
	},
);

const failures = (values: string) => ({
	[`callhome_connection_stage_failures_total{${who}, callhome_connection_stage="tls", error_type="ERR_CERTIFICATE"}`]: values,
});
const broken = {panel: 'Failures by stage and reason'};
const labels = '{callhome_connection_stage="tls", error_type="ERR_CERTIFICATE"}';

testWithPeer('promtool', 'the very first failure of a stage is shown, and those after it once each', async t => {
	const series = failures('_x10 1x100');
	await shows(t, {...broken, series, at: '9m', shown: []});
	for (const at of ['10m', '11m']) await shows(t, {...broken, series, at, shown: [{labels, value: 1}]});
	await shows(t, {...broken, series, at: '12m', shown: [{labels, value: 0}]});
	await shows(t, {...broken, series: failures('_x10 3 4 4 4'), at: '11m', shown: [{labels, value: 4}]});
});

testWithPeer('promtool', 'a failure in the first minute of a bridge is shown, and the first one after a restart', async t => {
	const started = {known: '_x10 900x100', uptime: '_x10 20+60x100'};
	await shows(t, {...broken, series: failures('_x10 1x100'), bridge: started, at: '11m', shown: [{labels, value: 1}]});
	const restarted = {known: '900x10 _ 900x100', uptime: '9000+60x10 _ 20+60x100'};
	await shows(t, {
		...broken,
		series: failures('7x10 _ stale _x10 1x50'),
		bridge: restarted,
		at: '23m',
		shown: [{labels, value: 1}],
	});
});

testWithPeer('promtool', 'old failures are not counted anew when Prometheus was away', async t => {
	const bridge = {known: '900x9 _x20 900x100', uptime: '9000+60x9 _x20 10800+60x100'};
	const series = failures('500x9 _x20 501x100');
	await shows(t, {...broken, series, bridge, at: '30m', shown: []});
	for (const at of ['31m', '32m', '33m']) await shows(t, {...broken, series, bridge, at, shown: [{labels, value: 0}]});
});
