import type {Kysely} from 'kysely';
import * as attempts from './attempts.ts';
import * as decisions from './decisions.ts';
import * as events from './events.ts';
import * as journal from './journal.ts';
import * as ledger from './ledger.ts';
import * as orphans from './orphans.ts';
import * as problems from './problems.ts';
import * as pruning from './prune.ts';
import {leaveRoomForFaults} from './room.ts';
import type {Schema} from './schema.ts';
import * as settings from './settings.ts';
import type {Prepare, Sqlite} from './sqlite.ts';
import * as submissions from './submissions.ts';
import * as unfinished from './unfinished.ts';

const operations = {...journal, ...orphans, ...problems, ...settings, ...submissions, ...unfinished};
const prepared = {...attempts, ...decisions, ...events, ...ledger, ...pruning, leaveRoomForFaults};
type Operations = typeof operations & typeof prepared;

type Bound<Operation> = Operation extends (database: Kysely<Schema> & Prepare, ...rest: infer Rest) => infer Result
	? (...rest: Rest) => Result
	: never;
/** All that can be read and written, within one transaction or outside of any. */
export type Records = {readonly [Name in keyof Operations]: Bound<Operations[Name]>};

/** One connection as an operation sees it: queries that are put together, and statements that stay prepared. */
export type Database = Pick<Sqlite, 'queries' | 'prepare'>;

/** Runs an operation on a database that is found when the operation is called. */
export type Run = <Result>(operation: (database: Database) => Promise<Result>) => Promise<Result>;

type Ask = (database: unknown, ...rest: unknown[]) => Promise<unknown>;

/** The operations without their first parameter. */
export function recordsOf(run: Run): Records {
	const bind = (of: object, on: (database: Database) => unknown) =>
		Object.entries(of).map(([name, ask]: [string, Ask]) => [
			name,
			(...rest: unknown[]) => run(database => ask(on(database), ...rest)),
		]);
	const bound = [...bind(operations, ({queries}) => queries), ...bind(prepared, ({prepare}) => prepare)];
	return Object.fromEntries(bound);
}
