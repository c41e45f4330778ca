import test from 'ava';
import fc from 'fast-check';
import {destinationUpdateSchema} from '../../src/destinations/config.ts';
import {judge, type Signed, type Verified, verify} from '../../src/updates/judge.ts';
import {parsePublicKey} from '../../src/updates/keys.ts';
import {createManifestReader} from '../../src/updates/manifest.ts';
import {day, noon} from '../helpers/decisions.ts';
import {type KeyPair, makeKeyPair, manifestOf, pemOf, serverList, signatureOf, timeOf} from '../helpers/update-server.ts';

const pair = makeKeyPair();
const other = makeKeyPair();
const keysOf = (...pairs: readonly KeyPair[]) => pairs.map(one => parsePublicKey(pemOf(one), 'key.pem'));
const readManifest = createManifestReader(destinationUpdateSchema);
const signed = (bytes: Buffer, by = pair): Signed => ({bytes, signature: signatureOf(bytes, by)});

function verdictOf(
	candidate: Signed,
	{last, now = noon, keys = keysOf(pair)}: {last?: Verified; now?: number; keys?: ReturnType<typeof keysOf>} = {},
) {
	const verdict = judge(candidate, {keys, readManifest, last, now});
	return verdict.verdict === 'refused' ? verdict.reason : verdict.verdict;
}

const accepted = (bytes: Buffer): Verified => verify(signed(bytes), keysOf(pair), readManifest);

test('a newer one is accepted, the same one is nothing new', t => {
	t.is(verdictOf(signed(manifestOf(1))), 'accepted');
	t.is(verdictOf(signed(manifestOf(8)), {last: accepted(manifestOf(7))}), 'accepted');
	t.is(verdictOf(signed(manifestOf(7)), {last: accepted(manifestOf(7))}), 'nothing_new');
});

test('an older one is a rollback, another one under the same serial an alarm', t => {
	t.is(verdictOf(signed(manifestOf(6)), {last: accepted(manifestOf(7))}), 'rollback');
	t.is(
		verdictOf(signed(manifestOf(7, {destinations: serverList('x.example')})), {last: accepted(manifestOf(7))}),
		'changed_under_its_serial',
	);
});

test('a manifest ends at the millisecond at which it says so, also one that is in force', t => {
	const bytes = manifestOf(7, {expires_at: timeOf(noon + day)});
	t.is(verdictOf(signed(bytes), {now: noon + day - 1}), 'accepted');
	t.is(verdictOf(signed(bytes), {now: noon + day}), 'expired');
	t.is(verdictOf(signed(bytes), {now: noon + day, last: accepted(bytes)}), 'expired');
});

test('a clock may be wrong by a day and no more', t => {
	t.is(verdictOf(signed(manifestOf(7)), {now: noon - day}), 'accepted');
	t.is(verdictOf(signed(manifestOf(7)), {now: noon - day - 1}), 'from_the_future');
	t.is(verdictOf(signed(manifestOf(7)), {now: 0}), 'from_the_future');
	t.is(verdictOf(signed(manifestOf(7)), {now: Number.NaN}), 'from_the_future');
});

test('keys change hands: both count while both are configured', t => {
	const bytes = manifestOf(7);
	t.is(verdictOf(signed(bytes, other)), 'signature');
	t.is(verdictOf(signed(bytes, other), {keys: keysOf(pair, other)}), 'accepted');
	t.is(verdictOf(signed(bytes, pair), {keys: keysOf(pair, other)}), 'accepted');
	t.is(verdictOf(signed(bytes, pair), {keys: keysOf(other)}), 'signature');
});

test('nothing of an unsigned manifest is read', t => {
	const bytes = Buffer.from('not JSON');
	t.is(
		judge(signed(bytes, other), {keys: keysOf(pair), readManifest: () => t.fail() as never, last: undefined, now: noon}).verdict,
		'refused',
	);
	t.is(verdictOf(signed(bytes)), 'malformed');
});

test('a manifest with any byte changed is refused', t => {
	const {bytes, signature} = signed(manifestOf(7, {destinations: serverList('callhome.example')}));
	const change = fc.tuple(fc.nat(bytes.length - 1), fc.integer({min: 1, max: 255}));
	fc.assert(
		fc.property(change, ([at, difference]) => {
			const changed = Buffer.from(bytes);
			changed[at] = (changed[at] ?? 0) ^ difference;
			return verdictOf({bytes: changed, signature}) === 'signature';
		}),
	);
	t.is(verdictOf({bytes, signature}), 'accepted');
});

test('a signature with any byte changed is refused, each position with each value', t => {
	const {bytes, signature} = signed(manifestOf(7));
	const text = Buffer.from(signature, 'latin1');
	t.is(text.length, 89);
	const survivors: string[] = [];
	for (let at = 0; at < text.length; at++) {
		for (let value = 0; value < 256; value++) {
			if (value === text[at]) continue;
			const changed = Buffer.from(text);
			changed[at] = value;
			if (verdictOf({bytes, signature: changed.toString('latin1')}) !== 'signature') survivors.push(`${at}: ${value}`);
		}
	}
	t.deepEqual(survivors, []);
});

test('a signature with junk around it is refused; a line end of either kind, or none, is none', t => {
	const {bytes, signature} = signed(manifestOf(7));
	const bare = signature.trim();
	for (const good of [bare, `${bare}\n`, `${bare}\r\n`]) t.is(verdictOf({bytes, signature: good}), 'accepted');
	const junk = [
		'',
		'\n',
		` ${bare}`,
		`${bare}\n\n`,
		`${bare} `,
		`${bare}${bare}`,
		bare.slice(0, -2),
		bare.slice(0, 40),
		`${bare}\0`,
		`\ufeff${bare}`,
		'<html>',
	];
	for (const bad of junk) t.is(verdictOf({bytes, signature: bad}), 'signature', JSON.stringify(bad));
	fc.assert(fc.property(fc.string(), text => verdictOf({bytes, signature: text}) === 'signature'));
});
