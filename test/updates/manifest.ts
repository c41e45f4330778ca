import test from 'ava';
import fc from 'fast-check';
import {destinationUpdateSchema} from '../../src/destinations/config.ts';
import {BridgeError, type BridgeErrorCode} from '../../src/errors.ts';
import {createManifestReader, maxManifestSize} from '../../src/updates/manifest.ts';
import {noon} from '../helpers/decisions.ts';
import {manifestOf, serverList, timeOf} from '../helpers/update-server.ts';

const read = createManifestReader(destinationUpdateSchema);
const download = {version: '3', url: 'https://updates.example/rules.yaml', sha256: 'a'.repeat(64), size: 10};

test('a whole manifest is read', t => {
	const program = {...download, version: '1.2.3-rc.1+linux', url: 'https://updates.example/callhome.tgz?arch=x'};
	const manifest = read(manifestOf(7, {destinations: serverList('CallHome.example'), rules: download, program}));
	t.like(manifest, {serial: 7, issuedAt: noon, rules: {version: '3', size: 10}, program: {version: '1.2.3-rc.1+linux'}});
	t.deepEqual(manifest.destinations.problem_reporting, [
		{host: 'callhome.example', ports: [443], addresses: ['192.0.2.7'], path: '/connect/api/v1'},
	]);
});

test('a manifest that offers nothing takes everything back', t => {
	t.like(read(manifestOf(8)), {serial: 8, destinations: {}, rules: undefined, program: undefined});
});

const text = (json: string) => Buffer.from(json);
const whole = manifestOf(7).toString();
const bad: [title: string, bytes: Buffer, code: BridgeErrorCode, message: RegExp][] = [
	['of another format', manifestOf(7, {format: 2, novelty: true}), 'ERR_MALFORMED', /format 2.*knows only 1: update the bridge/],
	['without a format', manifestOf(7, {format: undefined}), 'ERR_MALFORMED', /format/],
	['with an unknown key', manifestOf(7, {sereal: 1}), 'ERR_MALFORMED', /sereal/],
	['that is cut off', text(whole.slice(0, -5)), 'ERR_MALFORMED', /not JSON/],
	['that is no text', Buffer.from([0x7b, 0xff, 0x7d]), 'ERR_MALFORMED', /not JSON in UTF-8/],
	['with a byte order mark', text(`\ufeff${whole}`), 'ERR_MALFORMED', /not JSON/],
	['that is gzip', Buffer.from([0x1f, 0x8b, 8, 0, 0]), 'ERR_MALFORMED', /not JSON/],
	['that is too large', Buffer.alloc(maxManifestSize + 1, ' '), 'ERR_TOO_LARGE', /larger than 262144/],
	['of arrays without end', text('['.repeat(maxManifestSize)), 'ERR_MALFORMED', /not JSON/],
	['that is deep', text('['.repeat(100_000) + ']'.repeat(100_000)), 'ERR_MALFORMED', /the whole/],
	['with a key twice', text(whole.replace('"serial":7', '"serial":7,"serial":8')), 'ERR_MALFORMED', /twice/],
	[
		'with a key twice, once in disguise',
		text(whole.replace('"serial":7', '"serial":7,"\\u0073erial" :8')),
		'ERR_MALFORMED',
		/twice/,
	],
	['with a prototype', text(whole.replace('{', '{"__proto__":{"serial":9},')), 'ERR_MALFORMED', /__proto__/],
	['with a constructor', manifestOf(7, {constructor: {}}), 'ERR_MALFORMED', /constructor/],
	['with serial 0', manifestOf(0), 'ERR_MALFORMED', /serial/],
	[
		'with a serial that no number holds',
		text(whole.replace('"serial":7', '"serial":9007199254740993')),
		'ERR_MALFORMED',
		/serial/,
	],
	['that expires before it is issued', manifestOf(7, {expires_at: timeOf(noon)}), 'ERR_MALFORMED', /expires_at: is not after/],
	['with a day that is none', manifestOf(7, {issued_at: '2026-02-30T00:00:00Z'}), 'ERR_MALFORMED', /issued_at/],
	['with a time of no zone', manifestOf(7, {issued_at: '2026-02-20T00:00:00'}), 'ERR_MALFORMED', /issued_at/],
	[
		'with rules over plain HTTP',
		manifestOf(7, {rules: {...download, url: 'http://updates.example/r'}}),
		'ERR_MALFORMED',
		/never come over plain HTTP/,
	],
	[
		'with a password in a URL',
		manifestOf(7, {rules: {...download, url: 'https://a:geheim@updates.example/r'}}),
		'ERR_MALFORMED',
		/without user/,
	],
	[
		'with a version that leaves the directory',
		manifestOf(7, {rules: {...download, version: '../x'}}),
		'ERR_MALFORMED',
		/rules.version/,
	],
	['with rules that are too large', manifestOf(7, {rules: {...download, size: 2 ** 21}}), 'ERR_MALFORMED', /rules.size/],
	['with a digest in capitals', manifestOf(7, {rules: {...download, sha256: 'A'.repeat(64)}}), 'ERR_MALFORMED', /SHA-256/],
	[
		'with a program whose version has no order',
		manifestOf(7, {program: {...download, version: '0.0.1+a+b'}}),
		'ERR_MALFORMED',
		/program.version/,
	],
	[
		'with a program of no version',
		manifestOf(7, {program: {...download, version: 'latest'}}),
		'ERR_MALFORMED',
		/program.version/,
	],
	[
		'with problem reports to port 80',
		manifestOf(7, {destinations: {problem_reporting: [{host: 'callhome.example', port: 80, path: '/'}]}}),
		'ERR_MALFORMED',
		/plain HTTP/,
	],
	['with an unknown purpose', manifestOf(7, {destinations: {everything: []}}), 'ERR_MALFORMED', /everything/],
];

for (const [title, bytes, code, message] of bad) {
	test(`refuses a manifest ${title}`, t => {
		const error = t.throws(() => read(bytes), {instanceOf: BridgeError, message});
		t.is(error.code, code);
		t.false(error.message.includes('geheim'));
		t.false(error.message.includes('\n'));
		t.true(error.message.length < 2000);
	});
}

const isRefused = (bytes: Buffer): boolean => {
	try {
		read(bytes);
		return false;
	} catch (error) {
		return error instanceof BridgeError;
	}
};

test('whatever bytes come, they are refused with a code', t => {
	fc.assert(fc.property(fc.uint8Array({maxLength: 200}), bytes => isRefused(Buffer.from(bytes))));
	fc.assert(fc.property(fc.json(), json => isRefused(Buffer.from(json))));
	t.pass();
});

test('whatever stands where something else belongs is refused with a code, never thrown as a bug', t => {
	const keys = ['format', 'serial', 'issued_at', 'expires_at', 'destinations', 'rules', 'program'];
	const wrong = fc.oneof(
		fc.object(),
		fc.array(fc.anything()),
		fc.boolean(),
		fc.constant(null),
		fc.double({max: 0}),
		fc.string({maxLength: 10}),
	);
	fc.assert(fc.property(fc.constantFrom(...keys), wrong, (key, value) => isRefused(manifestOf(7, {[key]: asJson(value)}))));
	t.pass();
});

/** What JSON cannot hold becomes a text. */
function asJson(value: unknown): unknown {
	try {
		return JSON.parse(JSON.stringify(value) ?? '"nothing"');
	} catch {
		return 'nothing';
	}
}
