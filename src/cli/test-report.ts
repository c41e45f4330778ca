import {styleText} from 'node:util';
import {type Stage, stages} from '../attempt.ts';
import {authority} from '../sending/address.ts';
import type {Diagnosis, ExaminedStage, PathResult, Verdict} from '../sending/doctor/diagnosis.ts';
import {askLine, pathLine, serverLine, stageNames, verdictLine} from '../sending/doctor/summary.ts';
import {facts, printable, table} from './print.ts';

const columns: Record<Stage, string> = {
	name: 'DNS',
	connection: 'TCP',
	proxy_tls: 'PROXY TLS',
	proxy: 'PROXY',
	proxy_authentication: 'AUTH',
	tls: 'TLS',
	http: 'HTTP',
	application: 'APPLICATION',
};
const colors = {passed: 'green', warned: 'yellow', failed: 'red', skipped: 'gray'} as const satisfies Record<Verdict, string>;
const words: Record<Verdict, string> = {passed: 'works', warned: 'works, warning', failed: 'FAILED', skipped: 'skipped'};

/** What a person reads: all stages with their times, then what is wrong and what to do, then everything once more in one line each. */
export function reportLines(diagnosis: Diagnosis): string[] {
	const {paths, servers, asks} = diagnosis;
	const needed = asks.filter(ask => ask.needed);
	const useful = asks.filter(ask => !ask.needed);
	return [
		...stageTable(paths),
		...section('What is wrong, and what to do', troubles(paths)),
		...section('Paths', paths.map(colored)),
		...section(
			'Destinations',
			servers.map(server => printable(serverLine(server))),
		),
		...section(
			'Ask for',
			needed.map(ask => printable(askLine(ask))),
		),
		...section(
			'Ask for, so that all connections work',
			useful.map(ask => printable(askLine(ask))),
		),
		'',
		styleText(diagnosis.passed ? 'green' : 'red', printable(verdictLine(diagnosis))),
	];
}

const section = (title: string, lines: readonly string[]): string[] =>
	lines.length === 0 ? [] : ['', styleText('bold', title), ...lines.map(line => `  ${line}`)];

const colored = (path: PathResult): string => styleText(colors[path.outcome], printable(pathLine(path)));

/** Only the stages that some path has. */
function stageTable(paths: readonly PathResult[]): string[] {
	const walked = stages.filter(stage => paths.some(path => path.stages.some(result => result.stage === stage)));
	const head = ['CONNECTION', 'DESTINATION', 'BY', ...walked.map(stage => columns[stage]), 'OUTCOME'];
	const rows = paths.map(path => [
		printable(path.connection),
		authority(path),
		path.address ?? 'name',
		...walked.map(stage => cell(path.stages.findLast(result => result.stage === stage))),
		words[path.outcome],
	]);
	return table(head, rows);
}

function cell(result: ExaminedStage | undefined): string {
	if (!result) return '';
	const {outcome, duration} = result;
	if (outcome === 'skipped') return 'skipped';
	return outcome === 'passed' ? `${duration} ms` : `${outcome === 'failed' ? 'FAILED' : 'warned'} ${duration} ms`;
}

type Trouble = {readonly stage: ExaminedStage; readonly connection: string; readonly led: string[]};

/** Each failure once, with everything that it keeps from being reached: a proxy that is gone is one, however much goes over it. */
function troubles(paths: readonly PathResult[]): string[] {
	const found = new Map<string, Trouble>();
	for (const {connection, host, port, address, stages: walked} of paths) {
		for (const stage of walked.filter(({outcome}) => outcome === 'failed' || outcome === 'warned')) {
			const said = stage.error?.message ?? stage.warning ?? '';
			const key = [connection, stage.stage, stage.peer, said].join('\n');
			const trouble = found.get(key) ?? {stage, connection, led: []};
			const to = authority({host, port});
			trouble.led.push(address === undefined || address === host ? to : `${to} at ${address}`);
			found.set(key, trouble);
		}
	}
	return [...[...found.values()].flatMap(troubleLines), ...notes(paths)];
}

function troubleLines({stage, connection, led}: Trouble): string[] {
	const {error, warning, finding} = stage;
	const title = `${connection} -> ${led.join(', ')}: ${error ? 'failed' : 'warning'} at ${stageNames[stage.stage]}`;
	const rows = facts([
		['Seen', printable(error ? `${error.message} [${error.code}]` : (warning ?? ''))],
		['Cause', finding && printable(finding.cause)],
		['To do', finding && printable(finding.advice)],
	]);
	return [styleText(error ? 'red' : 'yellow', printable(title)), ...rows.map(row => `  ${row}`)];
}

/** What name and address tell together, each sentence once. */
const notes = (paths: readonly PathResult[]): string[] =>
	paths
		.filter(({by, note}) => by === 'name' && note !== undefined)
		.map(({connection, note, ...path}) => printable(`${connection} -> ${authority(path)}: ${note}`));
