import type {Moment} from './moments.ts';
import type {Evidence, Verdict} from './verdict.ts';

export type Lives = {
	starts: number;
	kills: number;
	stops: number;
	readonly killsAt: Map<Moment | 'graceful', number>;
};

export type Figures = {
	readonly seed: number;
	readonly seconds: number;
	readonly lives: Lives;
	readonly requests: Readonly<Record<'acknowledged' | 'refused' | 'unanswered' | 'unreached', number>>;
	readonly attempts: ReadonlyMap<string, number>;
};

const listed = (counts: ReadonlyMap<string, number>): string => [...counts].map(([what, count]) => `${what} ${count}`).join(', ');

/** Counts, one to a line. */
export function reportOf(figures: Figures, evidence: Evidence, verdict: Verdict): string {
	const {lives, requests, attempts, seed, seconds} = figures;
	const {unanswered, refused, unreached} = requests;
	const resent = `${unanswered + refused} (unanswered ${unanswered}, refused ${refused}), and ${unreached} that reached nobody`;
	const rows: [what: string, count: string | number][] = [
		['seed', seed],
		['seconds', Math.round(seconds)],
		['kills', `${lives.kills} (${listed(lives.killsAt)})`],
		['starts', lives.starts],
		['graceful stops', lives.stops],
		['acknowledged events', evidence.acknowledged.length],
		['acknowledged requests', requests.acknowledged],
		['resent requests', resent],
		['duplicates recognized', verdict.duplicates],
		['faults', verdict.faults],
		['problems', evidence.problems.length],
		['cases', evidence.cases.length],
		['attempts by outcome', listed(attempts)],
		['lost events', verdict.lost],
		['double cases', verdict.doubleCases],
	];
	const width = Math.max(...rows.map(([what]) => what.length));
	return rows.map(([what, count]) => `${what.padEnd(width)}  ${count}`).join('\n');
}
