import {existsSync, statSync} from 'node:fs';
import {type Replayed, replay} from '../agent/replay.ts';
import type {Config} from '../config.ts';
import {BridgeError} from '../errors.ts';
import {type Output, printable, table, timeText} from './print.ts';
import {problemJson} from './problem.ts';

const progressMillis = 2000;

/** ESA's exit code 21: the input cannot be read. */
export async function replayFile(config: Config, file: string, host: string): Promise<Output> {
	if (!existsSync(file) || !statSync(file).isFile())
		return {json: {error: `${file} is not a file`}, lines: [`${file} is not a file.`], exitCode: 21};
	const {size} = statSync(file);
	let next = Date.now() + progressMillis;
	const onProgress = (lines: number, bytes: number) => {
		if (Date.now() < next) return;
		next = Date.now() + progressMillis;
		process.stderr.write(`${lines} lines, ${Math.min(100, Math.floor((bytes / Math.max(size, 1)) * 100))} %\n`);
	};
	const replayed = await replay(config, file, {host, onProgress}).catch(cause => {
		if (cause?.code !== 'EACCES') throw cause;
		throw new BridgeError('ERR_CONFIG', `${file} cannot be read`, {cause});
	});
	return {json: jsonOf(replayed), lines: linesOf(replayed)};
}

const jsonOf = ({problems, bad, badLines, ...rest}: Replayed) => ({
	...rest,
	problems: problems.map(problemJson),
	bad_lines: badLines,
	bad,
});

function linesOf({lines, events, decisions, problems, bad, badLines}: Replayed): string[] {
	const rows = problems.map(({state, reason, count, lastSeen, system, title}) => [
		state === 'queued' ? 'would open' : state,
		reason === '' ? '-' : printable(reason),
		String(count),
		timeText(lastSeen) ?? '',
		printable(system?.name ?? 'unknown'),
		printable(title),
	]);
	const decided = Object.entries(decisions).map(([decision, count]) => [decision, String(count)]);
	return [
		`${lines} lines, ${events} hardware events, ${problems.length} problems. Nothing was sent.`,
		'',
		...(decided.length > 0 ? [...table(['DECISION', 'EVENTS'], decided), ''] : []),
		...(rows.length > 0 ? table(['OUTCOME', 'REASON', 'EVENTS', 'LAST SEEN', 'SYSTEM', 'TITLE'], rows) : ['No problems.']),
		...(badLines > 0 ? ['', `${badLines} lines could not be read:`] : []),
		...bad.map(({line, message}) => `  line ${line}: ${printable(message)}`),
	];
}
