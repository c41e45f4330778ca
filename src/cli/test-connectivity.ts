import type {Config} from '../config.ts';
import {diagnosisJson} from '../sending/doctor/json.ts';
import type {Output} from './print.ts';
import {reportLines} from './test-report.ts';
import {testExitCodes, type WalkOptions, walkPaths} from './test-walk.ts';

/** Ends early when `interrupt` says so, and says what is known by then. */
export async function testConnectivity(
	config: Config,
	options: WalkOptions,
	interrupt: AbortSignal,
	stderr = process.stderr,
): Promise<Output> {
	const {diagnosis, target} = await walkPaths(config, options, {interrupt, stderr});
	const {passed, failed, interrupted} = testExitCodes;
	return {
		json: {sandbox: target.isSandbox, target: target.text, ...diagnosisJson(diagnosis)},
		lines: reportLines(diagnosis, target.text),
		exitCode: interrupt.aborted ? interrupted : diagnosis.passed ? passed : failed,
	};
}
