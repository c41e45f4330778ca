import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import type {ExecutionContext} from 'ava';
import {verifyLedger} from '../../src/agent/verify-ledger.ts';
import {openBreaks} from '../../src/ledger-verifier.ts';
import type {Store} from '../../src/store/store.ts';
import {seenAt} from './records.ts';
import {openedStore} from './stores.ts';

export const begun = {
	submissionId: 's1',
	problemId: 'p1',
	type: 'hardware_alert',
	startedAt: seenAt,
	connection: 'direct',
	destination: 'ibm.example:443',
	request: '{"api_key":"[redacted]"}',
};

/** One attempt from its begin to its end, in two commits: those of even number with a reply, the others with an error. */
export async function attempt(store: Store, index: number, changes: Partial<typeof begun> = {}): Promise<number> {
	const sequence = await store.write(records =>
		records.beginAttempt({...begun, submissionId: `s${index}`, request: `request ${index}`, ...changes}),
	);
	const end =
		index % 2 === 0
			? {duration: 5, statusCode: 200, reply: `reply ${index}`}
			: {duration: 5, errorType: 'ERR_CONNECTION_RESET', error: `reset ${index}`};
	await store.write(records => records.endAttempt(sequence, end));
	return sequence;
}

/** What another program does to the file. */
export function tamperWith(directory: string, sql: string): void {
	using database = new DatabaseSync(join(directory, 'callhome.db'), {timeout: 5000});
	database.exec(sql);
}

/** A store with as many attempts, and another program's way into its file. */
export async function storeWith(t: ExecutionContext, attempts = 5) {
	const {store, directory, setAside} = await openedStore(t);
	for (let index = 0; index < attempts; index++) await attempt(store, index);
	const tamper = (sql: string) => tamperWith(directory, sql);
	return {store, directory, setAside, tamper, breaks: () => breaksOf(store)};
}

/** What the ledger lacks, in words. */
export const breaksOf = async (store: Store): Promise<string[]> =>
	openBreaks(await verifyLedger(store.read)).map(({kind, from, to, what}) => `${kind} ${from}-${to} ${what}`);

/** As a person does it. */
export async function acknowledge(store: Store): Promise<void> {
	const breaks = openBreaks(await verifyLedger(store.read));
	await store.write(records => records.acknowledgeBreaks({at: seenAt, reason: 'a test', breaks}));
}
