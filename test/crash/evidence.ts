import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {parsePrometheusText} from '../helpers/prometheus-text.ts';
import {keyFiles, keys, type Places, storeDirectory} from './bridge.ts';
import type {LedgerEvidence} from './ledger.ts';
import type {Evidence} from './verdict.ts';

type Row = Readonly<Record<string, string | number | null>>;

/** Reads the store's file as a stranger: with SQL of its own, not with the bridge's. */
function ask<Result>(places: Places, read: (query: (sql: string) => Row[]) => Result): Result {
	using database = new DatabaseSync(join(storeDirectory(places), 'callhome.db'), {readOnly: true, timeout: 5000});
	return read(sql => database.prepare(sql).all() as Row[]);
}

const waitingSql = "SELECT type, problem_id FROM submission WHERE type <> 'heartbeat'";

/** What is left to do: 0 when every problem has its case, and nothing but heartbeats waits. */
export const countUnfinished = (places: Places): number =>
	ask(places, query => {
		const problems = query(
			"SELECT count(*) AS n FROM problem WHERE case_number IS NULL OR state NOT IN ('open', 'closed') OR (recovered_at IS NOT NULL AND state <> 'closed')",
		);
		return Number(problems[0]?.n) + query(waitingSql).length;
	});

/** What the store shows once the bridge has stopped. */
export const readStore = (places: Places): Pick<Evidence, 'events' | 'problems' | 'waiting' | 'countedEvents' | 'integrity'> =>
	ask(places, query => ({
		events: query('SELECT id, problem_id, received_at FROM event ORDER BY sequence').map(row => ({
			uid: String(row.id),
			problemId: String(row.problem_id),
			receivedAt: Number(row.received_at),
		})),
		problems: query('SELECT * FROM problem ORDER BY id').map(row => ({
			id: String(row.id),
			state: String(row.state),
			reason: String(row.reason),
			count: Number(row.count),
			transactionId: String(row.transaction_id),
			caseNumber: row.case_number === null ? undefined : String(row.case_number),
		})),
		waiting: query(waitingSql).map(({type, problem_id}) => `${type} of ${problem_id}`),
		countedEvents: Number(query('SELECT max(sequence) AS n FROM event')[0]?.n),
		integrity: query('PRAGMA integrity_check')
			.map(row => row.integrity_check)
			.join('; '),
	}));

/** The ledger, and the attempts that it is about, at any moment at which the bridge does not run. */
export const readLedger = (places: Places): LedgerEvidence =>
	ask(places, query => ({
		entries: query('SELECT * FROM ledger ORDER BY sequence').map(({sequence, attempt, entry, hash}) => ({
			sequence: Number(sequence),
			attempt: attempt === null ? null : Number(attempt),
			entry: String(entry),
			hash: String(hash),
		})),
		attempts: query('SELECT * FROM attempt ORDER BY sequence').map(
			({sequence, destination, request, duration, reply, error}) => ({
				sequence: Number(sequence),
				destination: String(destination),
				request: String(request),
				end: duration === null ? null : String(reply ?? error ?? ''),
			}),
		),
	}));

/** How the attempts ended, and how often. */
export const readAttempts = (places: Places): ReadonlyMap<string, number> =>
	ask(places, query => {
		const rows = query(
			"SELECT coalesce(error_type, 'answered ' || status_code, 'unfinished') AS outcome, count(*) AS n FROM attempt GROUP BY outcome ORDER BY n DESC",
		);
		return new Map(rows.map(({outcome, n}) => [String(outcome), Number(n)]));
	});

/** The sums on the metrics page; undefined when it cannot be had. */
export async function readMetrics({metricsPort}: Places): Promise<Evidence['metrics']> {
	try {
		const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`, {signal: AbortSignal.timeout(20_000)});
		const families = parsePrometheusText(await response.text());
		const sumOf = (name: string) =>
			families.find(family => family.name === name)?.samples.reduce((sum, {value}) => sum + value, 0) ?? Number.NaN;
		return {accepted: sumOf('callhome_events_accepted_total'), standing: sumOf('callhome_events_standing')};
	} catch {
		return undefined;
	}
}

export const findSetAside = (places: Places): string[] =>
	readdirSync(storeDirectory(places)).filter(name => name.includes('set-aside'));

/** Every file that the bridge and the sandbox wrote in which a key can be read. */
export function findLeaks(places: Places): string[] {
	const own: readonly string[] = keyFiles(places);
	return readdirSync(places.directory, {recursive: true, withFileTypes: true})
		.filter(entry => entry.isFile())
		.map(({parentPath, name}) => join(parentPath, name))
		.filter(file => !own.includes(file))
		.filter(file => {
			const content = readFileSync(file);
			return content.includes(keys.apiKey) || content.includes(keys.privateKey);
		});
}

/** A bridge may be killed before it has made one. */
export const hasLedger = (places: Places): boolean =>
	existsSync(join(storeDirectory(places), 'callhome.db')) &&
	ask(places, query => query("SELECT 1 FROM sqlite_schema WHERE name = 'ledger'").length > 0);
