import {styleText} from 'node:util';
import type {Config} from '../config.ts';
import {type Diagnosis, goesAsSent, type Probes} from '../sending/doctor/diagnosis.ts';
import {diagnosisJson} from '../sending/doctor/json.ts';
import {verdictLine} from '../sending/doctor/summary.ts';
import {type Check, clockCheck, localChecks} from './operational-checks.ts';
import {type Output, printable, table} from './print.ts';
import {brokenLines} from './test-report.ts';
import {testExitCodes, walkPaths} from './test-walk.ts';

const colors = {passed: 'green', warned: 'yellow', failed: 'red', unknown: 'gray'} as const;
const words: Record<Check['outcome'], string> = {passed: 'works', warned: 'WARNING', failed: 'FAILED', unknown: 'not known'};

/** Everything that call home needs, from consent to the servers' answers: all paths are walked once, and the rest is looked at. */
export async function testOperational(
	config: Config,
	interrupt: AbortSignal,
	stderr = process.stderr,
	now = Date.now,
): Promise<Output> {
	const skews: number[] = [];
	const surroundings = {interrupt, stderr, wrap: (probes: Probes) => timed(probes, skews, now)};
	const {diagnosis, target} = await walkPaths(config, {probe: true}, surroundings);
	const checks = [...(await localChecks(config, now())), clockCheck(skews), pathsCheck(diagnosis)];
	const passed = checks.every(({outcome}) => outcome !== 'failed');
	const exitCode = passed ? testExitCodes.passed : testExitCodes.failed;
	return {
		json: {passed, sandbox: target.isSandbox, target: target.text, checks, connectivity: diagnosisJson(diagnosis)},
		lines: lines(checks, diagnosis, target.text, passed),
		exitCode: interrupt.aborted ? testExitCodes.interrupted : exitCode,
	};
}

/** The same questions; what the replies say of the time is noted. Milliseconds by which this machine is ahead. */
const timed =
	(probes: Probes, skews: number[], now: () => number): Probes =>
	target => {
		const probe = probes(target);
		return (
			probe && {
				...probe,
				judge(reply) {
					const at = Date.parse(reply.headers.date ?? '');
					if (!Number.isNaN(at)) skews.push(now() - at);
					return probe.judge(reply);
				},
			}
		);
	};

function pathsCheck(diagnosis: Diagnosis): Check {
	const failed = diagnosis.paths.some(path => path.outcome === 'failed' && goesAsSent(path));
	const works = failed || diagnosis.interrupted ? 'warned' : 'passed';
	return {name: 'paths', outcome: diagnosis.passed ? works : 'failed', text: verdictLine(diagnosis)};
}

function lines(checks: readonly Check[], diagnosis: Diagnosis, where: string, passed: boolean): string[] {
	const rows = checks.map(({name, outcome, text}) => [words[outcome], name, printable(text)]);
	const [head = '', ...body] = table(['OUTCOME', 'WHAT', 'SEEN'], rows);
	const broken = brokenLines(diagnosis);
	const failed = checks.filter(({outcome}) => outcome === 'failed').map(({name}) => name);
	const verdict = passed ? 'PASSED: call home is operational.' : `FAILED: ${failed.join(', ')}.`;
	return [
		styleText(passed ? 'green' : 'red', verdict),
		'',
		head,
		...body.map((line, index) => styleText(colors[checks[index]?.outcome ?? 'unknown'], line)),
		...(broken.length > 0 ? ['', ...broken, '"callhome test connectivity" shows each stage, and what to do.'] : []),
		'',
		printable(`The paths were walked in ${diagnosis.duration} ms to ${where}.`),
	];
}
