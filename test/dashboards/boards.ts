import {execFile} from 'node:child_process';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {parser} from '@grafana/lezer-logql';
import test from 'ava';
import {stringify} from 'yaml';
import {isChosen} from '../../dashboards/boards/terms.ts';
import {boardTerms} from '../../dashboards/generate.ts';
import {hardwareMetrics} from '../../src/hardware-metrics.ts';
import {temporaryDirectory} from '../helpers/listen.ts';
import {boardFile, boardUids, type DashboardFile, type Panel, readBoard, withVariables} from '../helpers/panels.ts';
import {requiredPeer, testWithPeer} from '../helpers/peers.ts';
import {promtool} from '../helpers/promtool.ts';

const boards = await Promise.all(boardUids.map(readBoard));
const ofMetrics = boards.filter(({uid}) => uid !== 'callhome-events');
const terms = boardTerms();
const everySeries = [
	...Object.values(terms.series),
	...Object.values(terms.process),
	...[...hardwareMetrics.keys()].map(terms.hardware),
];
/** Units of Grafana that the boards use: another one is a slip. */
const units = ['s', 'none', 'cpm', 'rps', 'percentunit', 'bytes', 'celsius', 'rotrpm', 'watt', 'volt'];

type Sort = {readonly displayName: string; readonly desc: boolean};

const panelsOf = ({panels}: DashboardFile) => panels.filter(({type}) => type !== 'row');
const expressionsOf = (board: DashboardFile) =>
	panelsOf(board).flatMap(({title, targets = []}) =>
		targets.map(({expr, refId}) => ({name: `${board.uid}: ${title} ${refId}`, expr})),
	);

/** What the linter of dashboards does not look at, each with what is found wrong. */
const rules: Record<string, (board: DashboardFile) => string[]> = {
	'the site is one of the choices, and what is picked out is none'({uid, templating: {list}}) {
		if (uid === 'callhome-events') return [];
		const [site, picked] = ['site', 'picked'].map(name => list.find(other => other.name === name));
		const wrong = site?.multi && site.allValue === '.*' && site.label === 'Site' ? [] : ['there is no site'];
		return picked && picked.hide !== 2 ? [...wrong, 'picked is shown'] : wrong;
	},
	'every panel has a description, in a sentence': board => titles(board, ({description = ''}) => !description.endsWith('.')),
	'a number has a unit that is known, or words': board =>
		titles(board, ({type, fieldConfig}) => {
			const {unit, mappings = []} = fieldConfig?.defaults ?? {};
			return !['table', 'logs'].includes(type) && !(unit !== undefined && units.includes(unit)) && mappings.length === 0;
		}),
	'a mark sees what happens between two steps of any length': ({uid, annotations}) =>
		(uid === 'callhome-events' ? [] : annotations.list).flatMap(({name, expr = ''}) => {
			const ranges = [...withoutTexts(expr).matchAll(/\[([^\]]*)\]/g)].map(([, range]) => range);
			return ranges.some(range => range !== '$__rate_interval') ? [name] : [];
		}),
	'every series is of the site that is chosen': board =>
		named(board, expr =>
			[...expr.matchAll(/[a-z_:]+\{((?:`[^`]*`|[^}`])*)\}/gi)].some(
				([, matchers = '']) => !matchers.includes(isChosen('site', 'site')),
			),
		),
	'every series of a query has matchers': board =>
		named(board, expr =>
			everySeries.some(name => new RegExp(`\\b${name}(?:_bucket|_count|_sum)?\\b(?!\\{|_)`).test(withoutLabels(expr))),
		),
	// The linter's own rule looks for `_total` at the end of a selector, where the matchers are.
	'a counter is shown by its growth': board =>
		named(board, expr =>
			[...withoutBirths(expr).matchAll(/(\w+\()?\w+_total\{/g)].some(
				([, before = '']) =>
					!/^(rate|increase|irate)\($/.test(before) &&
					![terms.series.acceptedEvents, terms.series.ledgerEntries].some(count => expr.includes(count)),
			),
		),
	'links keep the time range and the variables': ({links}) =>
		links.some(({keepTime, includeVars, tags}) => keepTime && includeVars && tags.includes('callhome'))
			? []
			: ['no link to the others'],
	'panels do not overlap, and have ids of their own': ({panels}) =>
		new Set(panels.map(({id}) => id)).size === panels.length ? overlaps(panels) : ['an id twice'],
};

const titles = (board: DashboardFile, isWrong: (panel: Panel) => boolean) =>
	panelsOf(board)
		.filter(isWrong)
		.map(({title}) => title);
const named = (board: DashboardFile, isWrong: (expr: string) => boolean) =>
	board.uid === 'callhome-events'
		? []
		: expressionsOf(board)
				.filter(({expr}) => isWrong(expr))
				.map(({name}) => name);
const withoutTexts = (expr: string) => expr.replaceAll(/"(?:[^"\\]|\\.)*"|`[^`]*`/g, '""');
/** The first value of a counter, which no rate sees, is taken as it is. */
const withoutBirths = (expr: string) => {
	const counter = /(\w+\{(?:`[^`]*`|[^}`])*\})/.source;
	return expr.replaceAll(new RegExp(`${counter} unless \\1 offset \\$__\\w+`, 'g'), '');
};
const withoutLabels = (expr: string) =>
	withoutTexts(expr)
		.replaceAll(/\b(?:by|on|group_left|group_right) \([^)]*\)/g, '')
		.replaceAll(/\{[^}]*\}/g, '{}');

function overlaps(panels: readonly Panel[]): string[] {
	const cover = ({gridPos: a}: Panel, {gridPos: b}: Panel) =>
		a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
	const outside = panels.filter(({gridPos: {x, w}}) => x + w > 24);
	return [...panels.filter((one, index) => panels.some((other, place) => place > index && cover(one, other))), ...outside].map(
		({title}) => title,
	);
}

for (const [name, rule] of Object.entries(rules)) {
	test(name, t => {
		for (const board of boards) t.deepEqual(rule(board), [], board.uid);
	});
}

test('a board that breaks the rules is found out', t => {
	const [board] = boards;
	if (!board) throw new Error('there is no board');
	const [first, ...rest] = panelsOf(board);
	if (!first) throw new Error('there is no panel');
	const broken: DashboardFile = {
		...board,
		links: [],
		templating: {list: []},
		annotations: {list: [{name: 'Changes', expr: 'changes(callhome_connection_status{}[1m]) > 0'}]},
		panels: [
			{
				...first,
				id: 9999,
				description: '',
				fieldConfig: {defaults: {unit: 'furlongs'}, overrides: []},
				targets: [
					{
						refId: 'A',
						expr: 'rate(callhome_submissions_total{}[5m]) + callhome_submissions_total{job="x"} + callhome_queue_size',
					},
				],
			},
			{...first, id: 9999, targets: []},
			...rest,
		],
	};
	for (const [name, rule] of Object.entries(rules)) t.true(rule(broken).length > 0, name);
});

/** What Grafana's linter of dashboards finds wrong in a file: warnings, too. */
const lint = (file: string): Promise<{readonly ok: boolean; readonly output: string}> =>
	new Promise(resolve => {
		execFile(requiredPeer('dashboard-linter'), ['lint', '--strict', file], (error, stdout, stderr) =>
			resolve({ok: error === null, output: `${stdout}${stderr}`}),
		);
	});

testWithPeer('dashboard-linter', 'every board passes all rules of the linter of dashboards, without an exception', async t => {
	for (const {uid} of boards) {
		const {ok, output} = await lint(boardFile(uid));
		t.true(ok, `${uid}: ${output}`);
		t.regex(output, /target-promql-rule|valid PromQL/, uid);
	}
	const [board] = boards;
	const broken = join(await temporaryDirectory(t), 'broken.json');
	await writeFile(broken, JSON.stringify(board).replaceAll(/job=~[^,]+, /g, ''));
	const {ok, output} = await lint(broken);
	t.false(ok);
	t.regex(output, /job/);
});

testWithPeer('promtool', 'every query is PromQL of Prometheus 2.42', async t => {
	const file = join(await temporaryDirectory(t), 'queries.yaml');
	const queries = ofMetrics.flatMap(board => [
		...expressionsOf(board).map(({expr}) => expr),
		...board.annotations.list.map(({expr}) => expr).filter(expr => expr !== undefined),
	]);
	const recorded = queries.map((expr, index) => ({record: `query_${index}`, expr: withVariables(expr)}));
	await writeFile(file, stringify({groups: [{name: 'queries', rules: recorded}]}));
	const {ok, output} = await promtool('check', 'rules', file);
	t.true(ok, output);
	t.regex(output, new RegExp(`${queries.length} rules found`));
});

/** Where a query is not LogQL, by the grammar that Grafana's own editor uses. */
function faultsInLogQl(query: string): string[] {
	const faults: string[] = [];
	parser.parse(query).iterate({
		enter({type, from, to}) {
			if (type.isError) faults.push(`${query.slice(0, from)}<here>${query.slice(from, to)}`);
		},
	});
	return faults;
}

test('every query of the board of events is LogQL', t => {
	const queries = boards.filter(board => !ofMetrics.includes(board)).flatMap(expressionsOf);
	t.is(queries.length, 3);
	for (const {expr} of queries) t.deepEqual(faultsInLogQl(withVariables(expr)), [], expr);
	t.not(faultsInLogQl('{a="b"} | event_name=~').length, 0);
	t.not(faultsInLogQl('{a=b} |= "c"').length, 0);
});

test('what is left of a disk is not drawn as what is used of it', t => {
	const [wear] = boards.flatMap(panelsOf).filter(({title}) => title === 'Wear of disks');
	for (const {expr} of wear?.targets ?? []) t.regex(expr, /hw_physical_disk_state!="remaining"/);
	t.is(wear?.targets?.length, 1);
});

test('no text of a board holds the name of a label or a series', t => {
	for (const {title, description = ''} of boards.flatMap(panelsOf))
		t.notRegex(`${title} ${description}`, /\b(?:hw|callhome)_[a-z_]+/, title);
});

test('what is worst stands on top of a table: the certificate that ends first, the source that fails, the disk that has failed', t => {
	const sorted = Object.fromEntries(
		boards.flatMap(panelsOf).map(({title, options}) => [title, (options?.sortBy as Sort[] | undefined)?.[0]]),
	);
	t.like(sorted.Certificates, {displayName: 'Ends in', desc: false});
	t.like(sorted.Sources, {displayName: 'Works', desc: false});
	t.like(sorted.Disks, {displayName: 'State', desc: true});
	for (const board of boards)
		for (const {title, options, transformations = []} of panelsOf(board).filter(({type}) => type === 'table')) {
			const [sort] = (options?.sortBy as Sort[] | undefined) ?? [];
			const renamed = transformations.find(({id}) => id === 'organize')?.options.renameByName as Record<string, string>;
			const isText = Object.entries(renamed).some(([of, shown]) => shown === sort?.displayName && !of.startsWith('Value'));
			t.false(isText, `${board.uid}: ${title} is sorted by a text`);
		}
});

test('a link of a table leads to a board that there is, with the time range', t => {
	const links = boards
		.flatMap(panelsOf)
		.flatMap(({fieldConfig}) =>
			(fieldConfig?.overrides ?? []).flatMap(({properties}) =>
				properties.filter(({id}) => id === 'links').map(({value}) => JSON.stringify(value)),
			),
		);
	t.true(links.length >= 3);
	for (const link of links) {
		t.true(
			boardUids.some(uid => link.includes(`/d/${uid}?`)),
			link,
		);
		t.regex(link, /\$\{__url_time_range\}/);
	}
});
