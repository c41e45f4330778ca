import {spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {createWriteStream, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {finished} from 'node:stream/promises';
import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {exportLines} from '../src/agent/ledger-lines.ts';
import {verifyLedger} from '../src/agent/verify-ledger.ts';
import {verifyFile} from '../src/cli/ledger-file.ts';
import {isBridgeError} from '../src/errors.ts';
import {acknowledgementFields, hashOf, toEntry} from '../src/ledger.ts';
import {createVerifier, openBreaks} from '../src/ledger-verifier.ts';
import type {Store} from '../src/store/store.ts';
import {acknowledge, attempt, storeWith} from './helpers/ledger.ts';
import {temporaryDirectory} from './helpers/listen.ts';
import {requiredPeer, testWithPeer} from './helpers/peers.ts';
import {seenAt} from './helpers/records.ts';

const hour = 3_600_000;

async function exported(store: Store, options: {from?: number; to?: number} = {}): Promise<string> {
	let text = '';
	for await (const part of exportLines(store.read, {programVersion: '1.2.3', now: () => seenAt, ...options})) text += part;
	return text;
}

async function exportedFile(t: ExecutionContext, attempts = 6) {
	const {store, tamper} = await storeWith(t, attempts);
	const text = await exported(store);
	const file = join(await temporaryDirectory(t), 'ledger.jsonl');
	const verify = async (changed: string | Buffer) => {
		writeFileSync(file, changed);
		return verifyFile(file);
	};
	const breaks = async (changed: string | Buffer) =>
		openBreaks(await verify(changed)).map(({kind, from, to, what}) => `${kind} ${from}-${to} ${what}`);
	return {store, tamper, text, lines: text.split('\n').slice(0, -1), verify, breaks};
}

const joined = (lines: readonly string[]) => lines.map(line => `${line}\n`).join('');

test('an exported ledger says what it is, and verifies as the store does', async t => {
	const {store, lines, text, verify, breaks} = await exportedFile(t);
	t.deepEqual(JSON.parse(lines[0] ?? ''), {
		format: 'callhome-ledger',
		version: 1,
		program_version: '1.2.3',
		exported_at: new Date(seenAt).toISOString(),
		anchor: {sequence: 0, hash: '0'.repeat(64)},
	});
	t.like(JSON.parse(lines[1] ?? ''), {text: 'request 0'});
	t.like(JSON.parse(lines[2] ?? ''), {text: 'reply 0'});
	t.like(JSON.parse(lines[4] ?? ''), {text: 'reset 1'});
	const {head} = await verifyLedger(store.read);
	t.deepEqual(JSON.parse(lines.at(-1) ?? ''), {head, entries: 12});
	t.like(await verify(text), {entries: 12, compared: 12, head});
	t.deepEqual(await breaks(text), []);
	t.deepEqual(await breaks(text.trimEnd()), []);
});

testWithPeer(
	['python3', 'sha256sum'],
	'programs of others verify an exported ledger, and see what was changed in one',
	async t => {
		const {store, text, lines} = await exportedFile(t);
		const file = join(await temporaryDirectory(t), 'ledger.jsonl');
		const stranger = join(import.meta.dirname, 'helpers/verify-ledger.py');
		const python = (changed: string) => {
			writeFileSync(file, changed);
			const {status, stdout, stderr} = spawnSync(requiredPeer('python3'), [stranger, file], {encoding: 'utf8'});
			return `${status} ${stdout}${stderr}`.trim();
		};
		const {head} = await verifyLedger(store.read);
		t.is(python(text), `0 12 ${head.hash}`);
		t.is(python(text.replace('"text":"request 1"', '"text":"request 2"')), '1 text of 3');
		t.regex(python(text.replace('ibm.example', 'ibm.sample')), /^1 hash of .*ibm.sample/);
		t.regex(python(joined(lines.toSpliced(4, 1))), /^1 hash of /);
		t.is(python(joined(lines.slice(0, -1))), '1 the file was cut');

		const [first, second] = lines.slice(1).map(line => JSON.parse(line));
		const sum = (input: string) => spawnSync(requiredPeer('sha256sum'), {input, encoding: 'utf8'}).stdout.slice(0, 64);
		t.is(sum(`${'0'.repeat(64)}\n${first.entry}`), first.hash);
		t.is(sum(`${first.hash}\n${second.entry}`), second.hash);
		t.is(sum(first.text), JSON.parse(first.entry).text_sha256);
	},
);

test('a part of it is a chain from its own anchor', async t => {
	const {store} = await storeWith(t, 0);
	for (let index = 0; index < 10; index++) await attempt(store, index, {startedAt: seenAt + index * hour});
	const file = join(await temporaryDirectory(t), 'part.jsonl');
	const part = async (from?: number, to?: number) => {
		writeFileSync(file, await exported(store, {...(from === undefined ? {} : {from}), ...(to === undefined ? {} : {to})}));
		const {anchor, head, entries, breaks} = await verifyFile(file);
		t.deepEqual(breaks, []);
		return [anchor.sequence, head.sequence, entries];
	};
	t.deepEqual(await part(), [0, 20, 20]);
	t.deepEqual(await part(seenAt + 3 * hour), [6, 20, 14]);
	t.deepEqual(await part(undefined, seenAt + 3 * hour), [0, 7, 7]);
	t.deepEqual(await part(seenAt + 3 * hour, seenAt + 5 * hour - 1), [6, 10, 4]);
	t.deepEqual(await part(seenAt + 99 * hour), [0, 0, 0]);
});

test('what is wrong in a file is named with its place', async t => {
	const {lines, breaks} = await exportedFile(t);
	const without = (...gone: number[]) => joined(lines.filter((_, index) => !gone.includes(index)));
	t.deepEqual(await breaks(without(5)), ['missing 5-5 entries']);
	t.deepEqual(await breaks(without(1, 2, 3)), ['missing 1-3 entries']);
	t.deepEqual(await breaks(without(13)), ['missing 13-13 end of the file']);
	t.deepEqual(await breaks(without(11, 12)), ['missing 11-12 entries']);
	t.deepEqual(await breaks(without(12, 13)), ['missing 12-12 end of the file']);
	const changed = (index: number, change: (line: string) => string) =>
		joined(lines.map((line, at) => (at === index ? change(line) : line)));
	t.deepEqual(await breaks(changed(3, line => line.replace('request 1', 'request 2'))), ['content 3-3 text_sha256']);
	t.deepEqual(await breaks(changed(3, line => line.replace('ibm.example', 'ibm.sample'))), ['hash 3-3 entry']);
	t.deepEqual(await breaks(changed(3, () => '{"entry":')), ['malformed 3-3 line', 'missing 3-3 entries']);
	t.deepEqual(await breaks(changed(3, () => '{"entry":3,"hash":"x"}')), ['malformed 3-3 line', 'missing 3-3 entries']);
	t.deepEqual(await breaks(changed(3, line => `${line}\n${line}`)), ['malformed 3-3 order']);
	t.deepEqual(await breaks(joined([...lines, lines[12] ?? ''])), ['malformed 13-13 order', 'malformed 12-12 order']);
	t.deepEqual(await breaks(changed(13, line => line.replace('"hash":"', '"hash":"0'))), ['malformed 13-13 end of the file']);
});

test('what was acknowledged in the store is acknowledged in the file', async t => {
	const {store, tamper} = await exportedFile(t);
	tamper("UPDATE attempt SET request = 'x' WHERE sequence = 2; DELETE FROM ledger WHERE sequence = 6");
	await acknowledge(store);
	const file = join(await temporaryDirectory(t), 'ledger.jsonl');
	writeFileSync(file, await exported(store));
	const verification = await verifyFile(file);
	t.deepEqual(openBreaks(verification), []);
	t.is(verification.breaks.length, 2);
});

test('an acknowledgement speaks only of what came before it', t => {
	const verifier = createVerifier({anchor: {sequence: 0, hash: '0'.repeat(64)}});
	const entry = toEntry(
		1,
		acknowledgementFields(0, 'in advance', [
			{kind: 'hash', from: 2, to: 2},
			{kind: 'missing', from: 3, to: 9},
		]),
	);
	verifier.add({entry, hash: hashOf('0'.repeat(64), entry)});
	verifier.add({entry: toEntry(2, {at: '', kind: 'request'}), hash: 'a'});
	verifier.add({entry: toEntry(10, {at: '', kind: 'request'}), hash: 'b'});
	t.is(openBreaks(verifier.finish()).length, 2);
});

test('an acknowledgement that does not fit into the chain acknowledges nothing, least of all itself', t => {
	for (const hash of ['forged', 'fits'] as const) {
		const verifier = createVerifier({anchor: {sequence: 0, hash: '0'.repeat(64)}});
		verifier.add({entry: toEntry(1, {at: '', kind: 'request'}), hash: 'a'});
		const places = [1, 2].map(from => ({kind: 'hash', from, to: from}) as const);
		const entry = toEntry(2, acknowledgementFields(0, 'nothing to see', places));
		verifier.add({entry, hash: hash === 'fits' ? hashOf('a', entry) : 'b'});
		const open = openBreaks(verifier.finish()).map(({from}) => from);
		t.deepEqual(open, hash === 'fits' ? [] : [1], 'neighbours of one kind are one break');
	}
});

test('with more breaks than can be told apart, memory and list stay bounded, and all of them can be acknowledged', t => {
	const verify = (acknowledged: ReturnType<typeof openBreaks>) => {
		const verifier = createVerifier({anchor: {sequence: 0, hash: '0'.repeat(64)}});
		let sequence = 0;
		// Each second one has another hash than follows, so that no two are neighbours.
		for (; sequence < 50_000; sequence += 2) verifier.add({entry: toEntry(sequence + 2, {at: '', kind: 'request'}), hash: 'f'});
		for (let from = 0; from < acknowledged.length; from += 500) {
			const fields = acknowledgementFields(0, 'all', acknowledged.slice(from, from + 500));
			const entry = toEntry(++sequence, fields);
			verifier.add({entry, hash: hashOf(verifier.place().hash, entry)});
		}
		return verifier.finish();
	};
	const found = openBreaks(verify([]));
	t.true(found.length <= 10_010, `${found.length}`);
	t.is(found.at(-1)?.to, 49_999);
	t.deepEqual(openBreaks(verify(found)), []);
});

test('a line without end is bounded, and named', async t => {
	const {lines} = await exportedFile(t, 2);
	const file = join(await temporaryDirectory(t), 'long.jsonl');
	const stream = createWriteStream(file);
	stream.write(`${lines[0]}\n`);
	for (let part = 0; part < 70; part++) if (!stream.write('x'.repeat(1024 ** 2))) await once(stream, 'drain');
	stream.end(`\n${lines.slice(1).join('\n')}\n`);
	await finished(stream);
	const {breaks, entries} = await verifyFile(file);
	t.is(entries, 4);
	t.like(breaks, {length: 1, 0: {kind: 'malformed', from: 1, what: 'line'}});
});

const anyLine = fc.oneof(
	fc.string({unit: 'binary'}),
	fc.json(),
	fc
		.record({
			entry: fc.oneof(fc.json(), fc.string(), fc.integer()),
			hash: fc.oneof(fc.string(), fc.constant(null)),
			text: fc.option(fc.string()),
		})
		.map(one => JSON.stringify(one)),
	fc
		.record({
			sequence: fc.oneof(fc.maxSafeNat(), fc.double(), fc.constant('1')),
			kind: fc.constantFrom('request', 'acknowledgement', 'x'),
			at: fc.string(),
			breaks: fc.anything(),
		})
		.map(one => JSON.stringify({entry: JSON.stringify(one), hash: 'a'.repeat(64)})),
	fc.constantFrom(
		'{"head":null}',
		'{"head":{"sequence":1e99,"hash":""}}',
		'{"__proto__":{"entry":"x"}}',
		'[]',
		'null',
		`${'['.repeat(50_000)}`,
	),
);

const contentOf = (text: string) =>
	text
		.split('\n')
		.map(line => line.trim())
		.filter(line => line !== '')
		.slice(1)
		.join('\n');

test('a hostile file is an error or a list of breaks, and never taken for a whole ledger', async t => {
	t.timeout(240_000);
	const {text, lines, verify} = await exportedFile(t);
	const place = fc.nat({max: lines.length - 1});
	const hostile = fc.oneof(
		fc.record({cut: fc.nat({max: text.length - 2})}),
		fc.record({at: fc.nat({max: text.length - 2}), byte: fc.nat({max: 255})}),
		fc.record({put: anyLine, before: place}),
		fc.record({put: anyLine, insteadOf: place}),
		fc.record({only: fc.shuffledSubarray([...lines.keys()], {minLength: 1})}),
	);
	type Hostile = {cut?: number; at?: number; byte?: number; put?: string; before?: number; insteadOf?: number; only?: number[]};
	const bytesOf = ({cut, at, byte = 0, put = '', before, insteadOf, only}: Hostile): Buffer => {
		if (cut !== undefined) return Buffer.from(text.slice(0, cut));
		if (at !== undefined) return Buffer.from(text).fill(byte, at, at + 1);
		if (only) return Buffer.from(joined(only.map(index => lines[index] ?? '')));
		return Buffer.from(joined(before === undefined ? lines.with(insteadOf ?? 0, put) : lines.toSpliced(before, 0, put)));
	};
	let errors = 0;
	let found = 0;
	await fc.assert(
		fc.asyncProperty(hostile, async how => {
			const bytes = bytesOf(how as Hostile);
			try {
				const {breaks, entries} = await verify(bytes);
				// What verifies is what was exported: but for the first line, for whose words nothing vouches.
				if (breaks.length === 0) return entries === 12 && contentOf(bytes.toString()) === contentOf(text);
				found++;
				return breaks.every(({kind, from, to}) => kind !== undefined && from >= 1 && to >= from);
			} catch (error) {
				errors++;
				return isBridgeError(error, 'ERR_MALFORMED');
			}
		}),
		{numRuns: 1500},
	);
	t.log(`${found} broken, ${errors} refused, of 1500`);
	t.true(found > 300 && errors > 50);
});
