import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {stringify} from 'yaml';
import {temporaryDirectory} from '../helpers/listen.ts';
import {readBoard, withVariables} from '../helpers/panels.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {promtool} from '../helpers/promtool.ts';

/** Faults are rare: what a board shows of the very first one, in the life of a bridge, is what it shows at all. */

const {panels} = await readBoard('callhome-delivery');

type Seen = {
	readonly panel: string;
	/** Values of the series, one a minute; by the bound of the bucket, `count` for all. */
	readonly values: Readonly<Record<string, string>>;
	readonly at: string;
	readonly shown: readonly {readonly labels: string; readonly value: number}[];
};

/** Asks for what the first query of a panel shows of answers to hardware alerts. */
async function shows(t: ExecutionContext, {panel, values, at, shown}: Seen) {
	const expr = panels.find(({title}) => title === panel)?.targets?.[0]?.expr ?? '';
	const nameOf = (bound: string) => {
		const labels = 'job="callhome-bridge", instance="i1", callhome_submission_type="hardware_alert"';
		const name = 'callhome_submission_duration_seconds';
		return bound === 'count' ? `${name}_count{${labels}}` : `${name}_bucket{${labels}, le="${bound}"}`;
	};
	const file = join(await temporaryDirectory(t), 'rare.test.yaml');
	const one = {
		interval: '1m',
		input_series: Object.entries(values).map(([bound, text]) => ({series: nameOf(bound), values: text})),
		promql_expr_test: [{expr: withVariables(expr, {interval: '2m', range: '1h'}), eval_time: at, exp_samples: shown}],
	};
	await writeFile(file, stringify({evaluation_interval: '1m', tests: [one]}, {lineWidth: 0}));
	const {ok, output} = await promtool('test', 'rules', file);
	t.true(ok, output);
}

const duration = 'From event to acceptance, and to case number';
const first = '_x10 1x100';
const never = '_x10 0x100';

testWithPeer('promtool', 'the first case in the life of a bridge shows how long it took', async t => {
	const values = {'5': never, '10': first, '+Inf': first};
	await shows(t, {panel: duration, values, at: '11m', shown: [{labels: '{}', value: 9.75}]});
});

testWithPeer('promtool', 'the first case in the life of a bridge counts for the objective', async t => {
	const panel = 'Within the objective';
	const labels = '{instance="i1"}';
	await shows(t, {panel, values: {'250': first, count: first}, at: '40m', shown: [{labels, value: 1}]});
	await shows(t, {panel, values: {'250': never, count: first}, at: '40m', shown: [{labels, value: 0}]});
});

testWithPeer(
	'promtool',
	'what was answered before the range does not count for the objective, nor does a restart take from it',
	async t => {
		const panel = 'Within the objective';
		const [quick, all] = ['100x70 100+1x30 0+1x20', '100x70 100+2x30 0+2x20'];
		await shows(t, {panel, values: {'250': quick, count: all}, at: '120m', shown: [{labels: '{instance="i1"}', value: 0.5}]});
		await shows(t, {
			panel,
			values: {'250': '100x200', count: '200x200'},
			at: '120m',
			shown: [],
		});
	},
);
