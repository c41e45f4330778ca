import {hostname} from 'node:os';
import {openRehearsal} from '../agent/rehearsal.ts';
import type {Config} from '../config.ts';
import {BridgeError, toError} from '../errors.ts';
import {type Decision, decisions, type HardwareEvent} from '../event.ts';
import type {Problem} from '../problem.ts';
import type {Reading} from '../receivers/otlp/reading.ts';
import {facts, type Output, printable, table, timeText} from './print.ts';
import {problemJson} from './problem.ts';
import {linesOf, sizeOf} from './replay-lines.ts';
import {createRecordings, none} from './replay-recordings.ts';
import {selEventsIn} from './replay-sel.ts';

const mostFaults = 20;
const mostProblems = 10_000;
const mostEntries = 100_000;
const progressMillis = 2000;

type Fault = {readonly line: number; readonly message: string};
type Tally = {lines: number; records: number; selected: number; faults: Fault[]; faulty: number};

/** Recorded signals through the rules of the configuration: what would have become of them. Nothing is sent, and nothing is kept. */
export async function replay(
	config: Config,
	file: string,
	{host = hostname(), progress = () => {}}: {readonly host?: string | undefined; readonly progress?: (text: string) => void} = {},
): Promise<Output> {
	const size = await sizeOf(file);
	const logged = size === undefined ? undefined : await selEventsIn(file, host);
	const recordings = createRecordings(config.selection);
	const rehearsal = await openRehearsal(config);
	try {
		const tally: Tally = {lines: 0, records: 0, selected: 0, faults: [], faulty: 0};
		const counts = new Map<Decision, number>();
		let saidAt = Date.now();
		const take = async (events: readonly HardwareEvent[]) => {
			for (const decision of await rehearsal.take(events)) counts.set(decision, (counts.get(decision) ?? 0) + 1);
		};
		for await (const line of logged ? [] : linesOf(file)) {
			tally.lines++;
			const {number} = line;
			await take(
				'fault' in line
					? blame(tally, number, line.fault)
					: eventsIn(number, () => (line.text.trim() === '' ? none : recordings.read(line.text)), tally),
			);
			if (Date.now() - saidAt < progressMillis) continue;
			saidAt = Date.now();
			progress(`line ${tally.lines}${size ? `, ${Math.floor((100 * line.bytes) / size)} %` : ''}, ${tally.selected} events`);
		}
		await take(logged ? counted(logged, tally) : eventsIn(tally.lines, recordings.end, tally));
		if (tally.lines > 0 && tally.faulty === tally.lines) {
			const [first] = tally.faults;
			throw new BridgeError('ERR_MALFORMED', `${file} holds no recorded signal: line ${first?.line}: ${first?.message}`);
		}
		return outputOf(file, tally, counts, await rehearsal.problems(mostProblems), await rehearsal.journal(mostEntries));
	} finally {
		await rehearsal.close();
	}
}

/** The records of a system event log are no lines, and each is an event or tells of no fault. */
function counted(events: readonly HardwareEvent[], tally: Tally): readonly HardwareEvent[] {
	tally.records += events.length;
	tally.selected += events.length;
	return events;
}

function eventsIn(number: number, read: () => Reading, tally: Tally): readonly HardwareEvent[] {
	try {
		const {records, malformed, malformedMessage, events} = read();
		tally.records += records;
		tally.selected += events.length;
		if (malformed > 0) blame(tally, number, malformedMessage);
		return events;
	} catch (error) {
		return blame(tally, number, toError(error).message);
	}
}

function blame(tally: Tally, line: number, message: string): readonly HardwareEvent[] {
	tally.faulty++;
	if (tally.faults.length < mostFaults) tally.faults.push({line, message});
	return [];
}

type Entries = readonly {readonly at: number; readonly word: string; readonly text: string}[];

function outputOf(
	file: string,
	tally: Tally,
	counts: ReadonlyMap<Decision, number>,
	problems: readonly Problem[],
	journal: Entries,
): Output {
	const decided = decisions.flatMap(decision => {
		const count = counts.get(decision);
		return count === undefined ? [] : [[decision, count] as const];
	});
	const would = (isIt: (problem: Problem) => boolean) => problems.filter(isIt).length;
	const opened = would(({acceptedAt}) => acceptedAt !== undefined);
	const held = would(({state}) => state === 'held');
	const json = {
		file,
		lines: tally.lines,
		records: tally.records,
		events: tally.selected,
		decisions: Object.fromEntries(decided),
		cases: opened,
		held,
		problems: problems.map(problem => ({...problemJson(problem), case_number: null, outcome: outcomeOf(problem)})),
		journal: journal.map(({at, word, text}) => ({at: timeText(at), word, text})),
		faulty_lines: tally.faulty,
		faults: tally.faults,
	};
	const rows = problems.map(problem => [
		outcomeOf(problem),
		problem.reason === '' ? '-' : printable(problem.reason),
		String(problem.count),
		timeText(problem.firstSeen) ?? '',
		printable(problem.system?.name ?? 'unknown'),
		printable(problem.title),
	]);
	const lines = [
		...facts([
			['Read', `${tally.lines} line(s), ${tally.records} record(s), ${tally.selected} hardware event(s)`],
			['Decided', decided.length === 0 ? 'nothing' : decided.map(([decision, count]) => `${count} ${decision}`).join(', ')],
			['Problems', `${opened} would open a case, ${held} would be held`],
			['Faulty lines', tally.faulty === 0 ? undefined : String(tally.faulty)],
		]),
		...tally.faults.map(({line, message}) => `  line ${line}: ${printable(message)}`),
		'',
		...(rows.length === 0 ? ['No problems.'] : table(['OUTCOME', 'REASON', 'EVENTS', 'FIRST SEEN', 'SYSTEM', 'TITLE'], rows)),
		'',
		'As if the bridge were activated and IBM answered at once. Nothing was sent.',
	];
	return {json, lines};
}

/** What recovered while it was held never became a case. */
function outcomeOf({state, acceptedAt}: Problem): string {
	if (state === 'open') return 'case';
	if (state === 'closed') return acceptedAt === undefined ? 'recovered' : 'case, closed';
	return state;
}
