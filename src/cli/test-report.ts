import {styleText} from 'node:util';
import {type Stage, stages} from '../attempt.ts';
import {authority} from '../sending/address.ts';
import type {Diagnosis, ExaminedStage, PathResult, Verdict} from '../sending/doctor/diagnosis.ts';
import {askLine, pathLine, serverLine, stageName, verdictLine} from '../sending/doctor/summary.ts';
import {facts, printable, table} from './print.ts';
import {type Trouble, troublesIn} from './test-troubles.ts';

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
const words: Record<Verdict, string> = {passed: 'works', warned: 'works, warning', failed: 'FAILED', skipped: 'given up'};

/**
What a person reads: whether it works and which hop is broken, in the first lines; then all stages with their times, what is
wrong and what to do, each path in one line, what to ask others for, and each destination in one line. `where` is said of it.
*/
export function reportLines(diagnosis: Diagnosis, where: string): string[] {
	const {paths, servers, asks} = diagnosis;
	const walked = walkedIn(diagnosis);
	const troubles = troublesIn(walked);
	const needed = asks.filter(ask => ask.needed);
	const useful = asks.filter(ask => !ask.needed);
	return [
		verdict(diagnosis),
		...troubles.map(brokenLine),
		'',
		printable(`Walked in ${diagnosis.duration} ms to ${where}.`),
		'',
		...stageTable(walked),
		...section('What is wrong, and what to do', [...troubles.flatMap(troubleLines), ...notes(paths)]),
		...section('Paths', walked.map(colored)),
		...section(
			'Ask for',
			needed.map(ask => printable(askLine(ask))),
		),
		...section(
			'Ask for, so that all connections work',
			useful.map(ask => printable(askLine(ask))),
		),
		...section(
			'Destinations',
			servers.map(server => printable(serverLine(server))),
		),
		'',
		verdict(diagnosis),
	];
}

/** Without those by an address for which there was none. */
const walkedIn = ({paths}: Diagnosis): readonly PathResult[] =>
	paths.filter(({outcome, givenUpAt}) => outcome !== 'skipped' || givenUpAt !== undefined);

/** Each broken hop in one line. */
export const brokenLines = (diagnosis: Diagnosis): string[] => troublesIn(walkedIn(diagnosis)).map(brokenLine);

const verdict = (diagnosis: Diagnosis): string =>
	styleText(diagnosis.passed ? 'green' : diagnosis.interrupted ? 'yellow' : 'red', printable(verdictLine(diagnosis)));

const section = (title: string, lines: readonly string[]): string[] =>
	lines.length === 0 ? [] : ['', styleText('bold', title), ...lines.map(line => `  ${line}`)];

const colored = (path: PathResult): string => styleText(colors[path.outcome], printable(pathLine(path)));

/** Only the stages that some path has. A line in the colour of its outcome, where that is not good. */
function stageTable(paths: readonly PathResult[]): string[] {
	const walked = stages.filter(stage =>
		paths.some(path => path.givenUpAt === stage || path.stages.some(result => result.stage === stage)),
	);
	const head = ['CONNECTION', 'DESTINATION', 'BY', ...walked.map(stage => columns[stage]), 'OUTCOME'];
	const rows = paths.map(path => [
		printable(path.connection),
		authority(path),
		path.address ?? 'name',
		...walked.map(stage => (path.givenUpAt === stage ? '...' : cell(path.stages.findLast(result => result.stage === stage)))),
		words[path.outcome],
	]);
	const [title = '', ...lines] = table(head, rows);
	const isGood = (index: number) => paths[index]?.outcome === 'passed';
	return [
		title,
		...lines.map((line, index) => (isGood(index) ? line : styleText(colors[paths[index]?.outcome ?? 'passed'], line))),
	];
}

function cell(result: ExaminedStage | undefined): string {
	if (!result) return '';
	const {outcome, duration} = result;
	if (outcome === 'skipped') return 'not asked';
	return outcome === 'passed' ? `${duration} ms` : `${outcome === 'failed' ? 'FAILED' : 'warned'} ${duration} ms`;
}

/** `BROKEN  proxy proxy.example:3128, at TCP: the proxy does not answer …`. */
function brokenLine({stage, connection, led, isByName}: Trouble): string {
	const {error, warning, finding} = stage;
	const what = finding?.short ?? error?.message ?? warning ?? 'see below';
	// A proxy is broken whatever is behind it.
	const where = led.length === 1 && led[0]?.startsWith(stage.peer) ? ` -> ${led[0]}` : '';
	const word = error && isByName ? 'BROKEN ' : 'WARNING';
	return styleText(
		error && isByName ? 'red' : 'yellow',
		printable(`${word} ${connection}${where}, at ${stageName(stage)}: ${what}`),
	);
}

function troubleLines({stage, connection, led, others}: Trouble): string[] {
	const {error, warning, finding} = stage;
	const title = `${connection} -> ${led.join(', ')}: ${error ? 'failed' : 'warning'} at ${stageName(stage)}`;
	const rows = facts([
		['Seen', printable(error ? `${error.message} [${error.code}]` : (warning ?? ''))],
		['Cause', finding && printable(finding.cause)],
		['To do', finding && printable(finding.advice)],
		['Alike', others.length > 0 ? `${others.join(', ')}: the same cause, and the same to do` : undefined],
	]);
	return [styleText(error ? 'red' : 'yellow', printable(title)), ...rows.map(row => `  ${row}`)];
}

/** What name and address tell together, each sentence once. */
const notes = (paths: readonly PathResult[]): string[] =>
	paths
		.filter(({by, note, outcome}) => by === 'name' && note !== undefined && outcome !== 'skipped')
		.map(({connection, note, ...path}) => printable(`${connection} -> ${authority(path)}: ${note}`));
