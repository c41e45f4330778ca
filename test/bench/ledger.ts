import {exportLines} from '../../src/agent/ledger-lines.ts';
import {verifyLedger} from '../../src/agent/verify-ledger.ts';
import {beginAttempt, endAttempt} from '../../src/store/attempts.ts';
import {openDatabase} from '../../src/store/open.ts';
import type {Sqlite} from '../../src/store/sqlite.ts';
import {openStore} from '../../src/store/store.ts';
import {temporaryDirectory} from '../helpers/listen.ts';
import {seenAt} from '../helpers/records.ts';
import {type Figure, median} from './parts/figures.ts';
import {type Bench, measure} from './parts/measure.ts';

/**
What the ledger costs an attempt, with its two commits and without their fsyncs, and how fast a whole ledger is verified and
exported. `node test/bench/ledger.ts [--quick]`
*/

const problem = {submissionId: 's', problemId: 'p1', type: 'hardware_alert', startedAt: seenAt};
/** As large as a problem and its answer are on the wire. */
const attempt = {...problem, connection: 'direct', destination: 'ibm.example:443', request: `{"text":"${'x'.repeat(4000)}"}`};
const end = {duration: 5, statusCode: 200, reply: `{"text":"${'y'.repeat(600)}"}`, peerCertificate: 'a'.repeat(64)};

type Halves = {begin(sqlite: Sqlite): Promise<number>; end(sqlite: Sqlite, sequence: number): Promise<void>};

const recorded: Halves = {
	begin: ({prepare}) => beginAttempt(prepare, attempt),
	end: ({prepare}, sequence) => endAttempt(prepare, sequence, end),
};

/** The same statements without an entry. */
const unrecorded: Halves = {
	async begin({prepare}) {
		prepare('UPDATE submission SET uncertain = 1 WHERE id = ?').run(attempt.submissionId);
		const {lastInsertRowid} = prepare(`
			INSERT INTO attempt (submission_id, problem_id, type, started_at, connection, destination, request)
			VALUES (?, ?, ?, ?, ?, ?, ?)
		`).run('s', 'p1', 'hardware_alert', seenAt, attempt.connection, attempt.destination, attempt.request);
		return Number(lastInsertRowid);
	},
	async end({prepare}, sequence) {
		prepare(`
			UPDATE attempt SET duration = ?, status_code = ?, reply = ?, error_type = ?, error = ?
			WHERE sequence = ? AND duration IS NULL RETURNING sequence, started_at, duration, status_code, error_type
		`).get(5, 200, end.reply, null, null, sequence);
	},
};

/** Microseconds for one attempt. */
async function costOf(sqlite: Sqlite, {begin, end}: Halves, count: number, isCommitted: boolean): Promise<number> {
	const transaction = async <Result>(isWanted: boolean, work: () => Promise<Result>) => {
		if (!isWanted) return work();
		sqlite.connection.exec('BEGIN IMMEDIATE');
		const result = await work();
		sqlite.connection.exec('COMMIT');
		return result;
	};
	const startedAt = performance.now();
	await transaction(!isCommitted, async () => {
		for (let index = 0; index < count; index++) {
			const sequence = await transaction(isCommitted, () => begin(sqlite));
			await transaction(isCommitted, () => end(sqlite, sequence));
		}
	});
	return ((performance.now() - startedAt) * 1000) / count;
}

async function costs({t, quick, say}: Bench): Promise<readonly Figure[]> {
	const {sqlite} = await openDatabase(await temporaryDirectory(t));
	t.teardown(() => sqlite.close());
	const figures: Figure[] = [];
	for (const isCommitted of [true, false]) {
		const count = quick ? 50 : isCommitted ? 500 : 2000;
		const taken: Record<'with' | 'without', number[]> = {with: [], without: []};
		for (let round = 0; round < (quick ? 2 : 7); round++) {
			taken.with.push(await costOf(sqlite, recorded, count, isCommitted));
			taken.without.push(await costOf(sqlite, unrecorded, count, isCommitted));
		}
		const what = isCommitted ? 'with its two commits' : 'without commits';
		say(`an attempt ${what}: ${taken.with.map(Math.round)} us with the ledger, ${taken.without.map(Math.round)} us without`);
		figures.push(
			{name: `ledger: an attempt ${what}`, value: median(taken.with), unit: 'us'},
			{name: `ledger: the same without the ledger`, value: median(taken.without), unit: 'us'},
			{
				name: `ledger: its part of an attempt ${what}`,
				value: median(taken.with) - median(taken.without),
				unit: 'us',
				aim: {atMost: isCommitted ? 1000 : 250},
			},
		);
	}
	return figures;
}

async function speeds({t, quick, say}: Bench): Promise<readonly Figure[]> {
	const directory = await temporaryDirectory(t);
	const attempts = quick ? 2000 : 50_000;
	const store = await openStore({directory, onFailure: () => {}, onSetAside: () => {}});
	t.teardown(() => store.close());
	for (let from = 0; from < attempts; from += 1000) {
		await store.write(async records => {
			for (let index = 0; index < 1000; index++) await records.endAttempt(await records.beginAttempt(attempt), end);
		});
	}
	let longest = 0;
	const startedAt = performance.now();
	const pause = async (millis: number) => {
		longest = Math.max(longest, millis);
	};
	const {entries, breaks} = await verifyLedger(store.read, {pause});
	const verifiedAt = performance.now();
	if (entries !== 2 * attempts || breaks.length > 0) throw new Error(`${entries} entries and ${breaks.length} breaks`);
	let bytes = 0;
	for await (const part of exportLines(store.read, {programVersion: 'bench'})) bytes += part.length;
	const exportedAt = performance.now();
	say(`${entries} entries, ${Math.round(bytes / 1024 ** 2)} MiB exported`);
	return [
		{
			name: 'ledger: verified, with the texts',
			value: (entries * 1000) / (verifiedAt - startedAt),
			unit: 'entries/s',
			aim: {atLeast: 10_000},
		},
		{name: 'ledger: longest turn of a verification', value: longest, unit: 'ms', aim: {atMost: 100}},
		{name: 'ledger: exported', value: (entries * 1000) / (exportedAt - verifiedAt), unit: 'entries/s'},
	];
}

await measure('ledger', async bench => [...(await costs(bench)), ...(await speeds(bench))]);
