import type {Kysely} from 'kysely';
import * as events from './events.ts';
import * as journal from './journal.ts';
import * as orphans from './orphans.ts';
import * as problems from './problems.ts';
import * as pruning from './prune.ts';
import type {Schema} from './schema.ts';
import * as settings from './settings.ts';
import * as submissions from './submissions.ts';
import * as unfinished from './unfinished.ts';

const operations = {...events, ...journal, ...orphans, ...problems, ...pruning, ...settings, ...submissions, ...unfinished};
type Operations = typeof operations;

type Bound<Operation> = Operation extends (database: Kysely<Schema>, ...rest: infer Rest) => infer Result
	? (...rest: Rest) => Result
	: never;
/** All that can be read and written, within one transaction or outside of any. */
export type Records = {readonly [Name in keyof Operations]: Bound<Operations[Name]>};

/** Runs an operation on a database that is found when the operation is called. */
export type Run = <Result>(operation: (database: Kysely<Schema>) => Promise<Result>) => Promise<Result>;

/** The operations without their first parameter. */
export function recordsOf(run: Run): Records {
	const bound = Object.entries(operations).map(([name, operation]) => {
		const ask = operation as (database: Kysely<Schema>, ...rest: unknown[]) => Promise<unknown>;
		return [name, (...rest: unknown[]) => run(database => ask(database, ...rest))];
	});
	return Object.fromEntries(bound);
}
