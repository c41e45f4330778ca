import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {readMessage} from '../../src/sandbox/message.ts';
import {temporaryDirectory} from '../helpers/listen.ts';
import {clientOf, eventOf, heartbeat, messageOf, serviceEvent, startSandbox} from '../helpers/sandbox.ts';

type Path = readonly (string | number)[];

/** Every place in a JSON value. */
function pathsIn(value: unknown, path: Path = []): Path[] {
	if (typeof value !== 'object' || value === null) return [path];
	return [
		path,
		...Object.entries(value).flatMap(([name, item]) => pathsIn(item, [...path, Array.isArray(value) ? Number(name) : name])),
	];
}

function replaced(value: unknown, [name, ...rest]: Path, by: unknown): unknown {
	if (name === undefined) return by;
	if (Array.isArray(value)) return value.map((item, index) => (index === name ? replaced(item, rest, by) : item));
	return Object.fromEntries(
		Object.entries(value as object).map(([key, item]) => [key, key === name ? replaced(item, rest, by) : item]),
	);
}

const good = messageOf([
	serviceEvent('s1'),
	heartbeat(['s1']),
	eventOf('status', 't1', {event_transaction_id: 't1', state: 'Ok', complete: true}),
	eventOf('confirm_response', 'c1', {event_transaction_id: 's1', event_type: 'service'}),
]);
const strange = fc.oneof(
	fc.jsonValue({maxDepth: 4}),
	fc.constantFrom(
		undefined,
		null,
		'',
		'__proto__',
		'constructor',
		{},
		[],
		-0,
		1e308,
		{['__proto__']: {rc: 1}},
		{toString: 1},
		'\ud800',
	),
);
/** A good message with up to three places replaced. */
const nearlyGood = fc
	.array(fc.tuple(fc.constantFrom(...pathsIn(good)), strange), {minLength: 1, maxLength: 3})
	.map(
		changes => JSON.stringify(changes.reduce<unknown>((message, [path, by]) => replaceIfThere(message, path, by), good)) ?? '',
	);

function replaceIfThere(message: unknown, path: Path, by: unknown): unknown {
	try {
		return replaced(message, path, by);
	} catch {
		return message; // An earlier change took the place away.
	}
}

const word = fc.oneof(
	fc.string({minLength: 1, maxLength: 40}),
	fc.constantFrom('__proto__', 'constructor', 'toString', '\ud800', '\0', '"', '</script>'),
);
/** Good messages with strange words in them, under an id that may be asked for again. */
const strangeButGood = fc
	.record({id: word, asset: word, code: word, note: fc.string({unit: 'binary'}), extra: fc.jsonValue({maxDepth: 5})})
	.map(({id, asset, code, note, extra}) =>
		JSON.stringify(
			messageOf([serviceEvent(id, {code, note, extra}), heartbeat([id]), eventOf(code, id, {extra})], {asset, extra}),
		),
	);

const anyBody = fc.oneof(
	{arbitrary: strangeButGood, weight: 2},
	{arbitrary: nearlyGood, weight: 2},
	fc.json(),
	fc.string({unit: 'binary'}),
	fc.uint8Array({maxLength: 200}),
);
const bytesOf = (body: string | Uint8Array) => (typeof body === 'string' ? new TextEncoder().encode(body) : body);

test('reading never throws, and a message is never both read and at fault', t => {
	fc.assert(
		fc.property(anyBody, body => {
			const {message, fault} = readMessage(bytesOf(body)) as {message?: unknown; fault?: string};
			return (message === undefined) !== (fault === undefined) && fault !== '';
		}),
		{numRuns: 3000},
	);
	t.pass();
});

test('whatever is posted, the reply is JSON in one of the two shapes', async t => {
	const directory = await temporaryDirectory(t);
	const sandbox = await startSandbox(t, {case_delay: '0s', duplicate_detection: false}, {directory});
	const post = clientOf(t, sandbox);
	let [accepted, refused] = [0, 0];
	await fc.assert(
		fc.asyncProperty(anyBody, async body => {
			const {status, json} = await post(body);
			const isAccepted =
				json.service === 'ibm_callhome_connect' && [200, 401].includes(json.transaction.rc) && Array.isArray(json.events);
			const isRefused = json.service === undefined && json.body.env.namespace !== '' && json.body.error !== '';
			accepted += Number(isAccepted);
			refused += Number(isRefused);
			return status === 200 && isAccepted !== isRefused;
		}),
		{numRuns: 600},
	);
	t.true(accepted > 20 && refused > 100, `${accepted} accepted, ${refused} refused: the bodies must be of both kinds`);
	t.is((await post(good)).json.transaction.rc, 200);

	const known = sandbox.cases();
	await sandbox.shutdown();
	t.deepEqual((await startSandbox(t, {}, {directory})).cases(), known, 'strange ids and titles survive a restart');
	t.false((await readFile(join(directory, 'received.jsonl'), 'utf8')).includes('-key-for-tests'));
});

test('whatever is sent as a setting, the answer is JSON', async t => {
	const ask = clientOf(t, await startSandbox(t));
	await fc.assert(
		fc.asyncProperty(fc.oneof(fc.json(), fc.string({unit: 'binary'})), async body => {
			const {status, json} = await ask(body, {method: 'PUT', path: '/sandbox/mode'});
			return status === 400 && typeof json.error === 'string';
		}),
		{numRuns: 150},
	);
	t.is((await ask(good)).json.transaction.rc, 200);
});
