import {createHash} from 'node:crypto';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {setTimeout as pause} from 'node:timers/promises';
import {connect} from 'node:tls';
import test from 'ava';
import {watchLedger} from '../../src/agent/ledger.ts';
import {exportLines} from '../../src/agent/ledger-lines.ts';
import {verifyLedger} from '../../src/agent/verify-ledger.ts';
import {alertRequest, post, scrape} from '../helpers/bridge.ts';
import {patience, startBridgeWithSandbox} from '../helpers/bridge-with-sandbox.ts';
import {attempt, storeWith} from '../helpers/ledger.ts';
import {eventually} from '../helpers/listen.ts';

/** As openssl x509 -outform der | sha256sum prints it. */
async function certificateOf({hostname, port}: URL, caFile: string): Promise<string> {
	const socket = connect({host: hostname, port: Number(port), ca: readFileSync(caFile), servername: ''});
	await once(socket, 'secureConnect');
	const {raw} = socket.getPeerCertificate();
	socket.destroy();
	return createHash('sha256').update(raw).digest('hex');
}

const breaksMetric = (kind: string) => `callhome_ledger_breaks{callhome_ledger_break="${kind}"}`;

test.serial('a bridge records what leaves before it leaves, verifies it, and counts it', async t => {
	t.timeout(120_000);
	const {sandbox, bridge} = await startBridgeWithSandbox(t, {});
	const {store} = bridge.callHome;
	const {otlp, metrics} = bridge.urls;
	const alerts = Array.from({length: 3}, (_, index) => ({serial: 'J1A2B3C', id: `drive-${index}`}));
	t.is((await post(otlp, alertRequest(...alerts))).status, 200);
	await eventually(async () => {
		const problems = await store.read.listProblems({limit: 100});
		return problems.length > 0 && problems.every(({state}) => state === 'accepted' || state === 'open');
	}, patience);
	const verification = await verifyLedger(store.read);
	t.deepEqual(verification.breaks, []);
	t.true(verification.entries >= 4);
	const page = await scrape(metrics);
	t.true((page.get('callhome_ledger_entries_total') ?? 0) >= verification.entries);
	t.is(page.get(breaksMetric('missing')), 0);
	t.is(page.get(breaksMetric('content')), 0);
	t.true((page.get('callhome_ledger_verification_timestamp_seconds') ?? 0) > 1.7e9);

	let text = '';
	for await (const part of exportLines(store.read, {programVersion: 'test'})) text += part;
	for (const key of ['test-api-key', 'test-private-key']) t.false(text.includes(key), `${key} is in the export`);
	const lines = text
		.split('\n')
		.slice(0, -1)
		.map(line => JSON.parse(line));
	const left = lines.filter(({entry}) => entry !== undefined && JSON.parse(entry).kind === 'request');
	const replies = lines.filter(({entry}) => entry !== undefined && JSON.parse(entry).kind === 'reply');
	const shown = new Set(replies.map(({entry}) => JSON.parse(entry).peer_certificate_sha256));
	t.deepEqual([...shown], [await certificateOf(sandbox.url(), sandbox.caFile)]);
	const received = sandbox.received();
	t.true(received.length >= 3 && received.length <= left.length);
	for (const {eventId} of received)
		t.true(
			left.some(({text}) => text.includes(eventId)),
			`${eventId} was received, and is recorded`,
		);
});

test.serial('a ledger that breaks is said once, and once that it is well again', async t => {
	const {store, tamper} = await storeWith(t, 4);
	const said: string[] = [];
	await using stack = new AsyncDisposableStack();
	const log = (level: string, text: string) => void said.push(`${level} ${text}`);
	const ledger = watchLedger({store, log, stack}, {intervalMillis: 20});
	const words = async () => (await store.read.listActivities({})).map(({word}) => word);
	const verified = async () => Number(((await store.read.readLedgerNote()) as {at?: number} | undefined)?.at ?? 0);
	const nextRound = async () => {
		const [at] = [Date.now()];
		await eventually(async () => (await verified()) > at, {timeoutMillis: 10_000});
	};
	await nextRound();
	t.deepEqual(said, []);
	tamper("UPDATE attempt SET reply = 'another' WHERE sequence = 1");
	await eventually(() => said.length > 0);
	await nextRound();
	await nextRound();
	t.deepEqual(said, ['error the ledger of what left is broken (1 content): "callhome ledger verify" names each place']);
	t.deepEqual(await words(), ['ledger_broken']);
	t.is(await ledger.acknowledge('it was me'), 1);
	t.deepEqual(said.slice(1), ['info the ledger of what left has no break any more']);
	t.deepEqual(await words(), ['ledger_broken', 'ledger_acknowledged', 'ledger_intact']);
	await t.throwsAsync(ledger.acknowledge('again'), {code: 'ERR_USAGE'});
	tamper('DELETE FROM ledger WHERE sequence IN (7, 8)');
	await eventually(async () => (await words()).at(-1) === 'ledger_broken');
	t.regex(said.at(-1) ?? '', /\(1 missing, 1 unrecorded\)/);
});

test.serial('a bridge that starts on a broken ledger says it, and does not note it again', async t => {
	const {store, tamper} = await storeWith(t, 2);
	const live = async () => {
		const said: string[] = [];
		await using stack = new AsyncDisposableStack();
		const before = JSON.stringify(await store.read.readLedgerNote());
		watchLedger({store, log: (level, text) => void said.push(`${level} ${text}`), stack});
		await eventually(async () => JSON.stringify(await store.read.readLedgerNote()) !== before);
		return said.map(text => text.slice(0, 55));
	};
	t.deepEqual(await live(), []);
	tamper('DELETE FROM ledger WHERE sequence = 2');
	t.deepEqual(await live(), ['error the ledger of what left is broken (1 missing, 1 u']);
	t.deepEqual(await live(), ['warn the ledger of what left is broken (1 missing, 1 un']);
	t.deepEqual(
		(await store.read.listActivities({})).map(({word}) => word),
		['ledger_broken'],
	);
});

test.serial('a head that was noted stays noted while the ledger does not contain it', async t => {
	const {store, tamper} = await storeWith(t, 3);
	const verified = async (stop?: () => Promise<unknown>) => {
		await using stack = new AsyncDisposableStack();
		const before = JSON.stringify(await store.read.readLedgerNote());
		const ledger = watchLedger({store, log: () => {}, stack});
		await eventually(async () => JSON.stringify(await store.read.readLedgerNote()) !== before);
		if (stop) await ledger.acknowledge('cut on purpose');
		return (await store.read.readLedgerNote()) as {head: {sequence: number}; breaks: Record<string, number>};
	};
	t.like(await verified(), {head: {sequence: 6}, breaks: {rewritten: 0}});
	tamper("DELETE FROM ledger WHERE sequence > 4; UPDATE sqlite_sequence SET seq = 4 WHERE name = 'ledger'");
	tamper('DELETE FROM attempt WHERE sequence = 3');
	t.like(await verified(), {head: {sequence: 6}, breaks: {rewritten: 1}});
	await attempt(store, 4);
	t.like(await verified(), {head: {sequence: 6}, breaks: {rewritten: 1}});
	t.like(await verified(async () => {}), {head: {sequence: 7}, breaks: {rewritten: 0}});
});

test.serial('a long verification leaves the event loop to others, and ends with the bridge at once', async t => {
	t.timeout(120_000);
	const {store, directory} = await storeWith(t, 1);
	await attempt(store, 1);
	using database = new DatabaseSync(join(directory, 'callhome.db'), {timeout: 5000});
	const numbers = 'WITH RECURSIVE n (i) AS (SELECT 5 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)';
	database.exec(`${numbers} INSERT INTO ledger SELECT i, NULL, json_object('sequence', i, 'at', '', 'kind', 'x'), '' FROM n`);
	await using stack = new AsyncDisposableStack();
	let longest = 0;
	let last = performance.now();
	const ticker = setInterval(() => {
		longest = Math.max(longest, performance.now() - last);
		last = performance.now();
	}, 1);
	t.teardown(() => clearInterval(ticker));
	watchLedger({store, log: () => {}, stack});
	await pause(500);
	const startedAt = performance.now();
	await stack.disposeAsync();
	t.true(performance.now() - startedAt < 500);
	t.log(`the longest turn took ${longest.toFixed(1)} ms`);
	t.true(longest < 250);
	t.is(await store.read.readLedgerNote(), undefined, 'it had not come to its end');
});
