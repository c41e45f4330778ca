import test from 'ava';
import fc from 'fast-check';
import {Secret} from '../../src/secret.ts';
import {printableAnswer, readPacAnswer} from '../../src/sending/pac-answer.ts';
import {written} from '../helpers/pac.ts';

const read = (text: string, allowDirect = true) => {
	const {candidates, passedOver} = readPacAnswer(text, {}, allowDirect);
	return {candidates: written(candidates), passedOver};
};

for (const [text, expected] of [
	['PROXY a.example:3128', ['http a.example:3128']],
	['PROXY a.example', ['http a.example:80']],
	['HTTP a.example:8080', ['http a.example:8080']],
	['HTTPS a.example', ['https a.example:443']],
	['SOCKS a.example', ['socks5 a.example:1080']],
	['SOCKS5 [2001:DB8::1]:1081', ['socks5 2001:db8::1:1081']],
	['proxy A.Example:80;direct', ['http a.example:80', 'direct']],
	['  PROXY\t a.example:1 ;;\n DIRECT ; ', ['http a.example:1', 'direct']],
	['PROXY bücher.example:1', ['http xn--bcher-kva.example:1']],
	['', ['direct']],
	[' ; ;', ['direct']],
	['DIRECT; PROXY a.example:1', ['direct', 'http a.example:1']],
] as const) {
	test(`${JSON.stringify(text)} is read`, t => t.deepEqual(read(text), {candidates: [...expected], passedOver: []}));
}

for (const [text, reason] of [
	['SOCKS4 a.example:1080', 'SOCKS4 is not supported'],
	['QUIC a.example:443', 'not known'],
	['constructor a.example:1', 'not known'],
	['PROXY', 'not HOST:PORT'],
	['PROXY a.example:1 b.example:2', 'not HOST:PORT'],
	['PROXY a.example:0', 'not HOST:PORT'],
	['PROXY a.example:65536', 'not HOST:PORT'],
	['PROXY a.example:1/path', 'not HOST:PORT'],
	['PROXY http://a.example:1', 'not HOST:PORT'],
	['PROXY [2001:db8::1', 'not HOST:PORT'],
	['DIRECT now', 'not known'],
] as const) {
	test(`${text} is passed over, and the next one has its turn`, t => {
		t.deepEqual(read(`${text}; PROXY next.example:1`), {
			candidates: ['http next.example:1'],
			passedOver: [`${text} (${reason})`],
		});
	});
}

test('DIRECT that is not allowed is passed over with its reason', t => {
	t.deepEqual(read('DIRECT; PROXY a:1; DIRECT', false), {
		candidates: ['http a:1'],
		passedOver: ['DIRECT (allow_direct is not set)', 'DIRECT (allow_direct is not set)'],
	});
	t.deepEqual(read('', false), {candidates: [], passedOver: ['DIRECT (allow_direct is not set)']});
});

test('credentials in a PAC file are no proxy, and are shown nowhere', t => {
	const {candidates, passedOver} = read('PROXY user:hunter2@a.example:1; PROXY ok:1');
	t.deepEqual(candidates, ['http ok:1']);
	t.deepEqual(passedOver, ['PROXY [redacted]@a.example:1 (not HOST:PORT)']);
});

test('only the first eight count', t => {
	const {candidates, passedOver} = read(Array.from({length: 1000}, (_, index) => `PROXY p${index}:1`).join(';'));
	t.is(candidates.length, 8);
	t.deepEqual(passedOver, ['992 more (only the first 8 count)']);
});

const piece = fc.oneof(
	fc.constantFrom(
		'PROXY',
		'HTTPS',
		'SOCKS5',
		'SOCKS4',
		'DIRECT',
		' ',
		'\t',
		';',
		':',
		'@',
		'/',
		'[',
		']',
		'::1',
		'a.example',
		'3128',
		'%',
		'#',
		'\n',
		'💥',
	),
	fc.string({unit: 'binary', maxLength: 10}),
);
const answer = fc.array(piece, {maxLength: 30}).map(pieces => pieces.join(''));

test('whatever a script answers becomes ways that can be tried, or reasons on one line', t => {
	const password = new Secret('Zx9');
	const property = fc.property(answer, fc.boolean(), (text, allowDirect) => {
		const {candidates, passedOver} = readPacAnswer(text, {username: 'user', password}, allowDirect);
		t.true(candidates.length + passedOver.length > 0 && candidates.length <= 8);
		for (const candidate of candidates) {
			if (candidate === 'direct') {
				t.true(allowDirect);
				continue;
			}
			const {host, port, username, password: secret} = candidate;
			t.true(host !== '' && !/[\s/@?#\\[\]%;]/.test(host), text);
			t.true(Number.isInteger(port) && port > 0 && port < 65_536, text);
			t.true(username === 'user' && secret === password);
		}
		for (const reason of passedOver) t.regex(reason, /^[^\p{C}]{1,120}$/u);
	});
	t.notThrows(() => fc.assert(property, {numRuns: 2000}));
});

test('what is shown of an answer is one line of bounded length, without what stands before an @', t => {
	const secret = 'user:hunter2@proxy.example';
	const filler = fc.oneof(
		answer,
		fc.integer({min: 0, max: 900}).map(count => ' '.repeat(count)),
	);
	const property = fc.property(filler, fc.integer({min: 1, max: 200}), (text, maxLength) => {
		const line = printableAnswer(`${text} ${secret}`, maxLength);
		t.true(line.length <= maxLength + 1 && line.isWellFormed());
		t.notRegex(line, /\p{Cc}|user:|hunter/u);
	});
	t.notThrows(() => fc.assert(property, {numRuns: 2000}));
});
