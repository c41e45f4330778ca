import {mkdirSync, rmSync} from 'node:fs';
import {inspect} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {BridgeError} from '../../src/errors.ts';
import type {Lookup} from '../../src/sending/names.ts';
import {answering, deciding, openPacFile, pacPassword, written} from '../helpers/pac.ts';

const known: Record<string, string> = {'a.example': '192.0.2.7', 'b.example': '198.51.100.7'};
const lookup: Lookup = async host => {
	const address = known[host];
	if (address === undefined) throw new Error('not known');
	return [address];
};

const expressions = [
	'url === "https://esupport.ibm.com/" && host === "esupport.ibm.com"',
	'dnsResolve("a.example") === "192.0.2.7"',
	'dnsResolve("nowhere.example") === null && dnsResolve("") === null',
	'isResolvable("a.example") && !isResolvable("nowhere.example")',
	'isInNet("192.0.2.7", "192.0.2.0", "255.255.255.0") && !isInNet("192.0.3.7", "192.0.2.0", "255.255.255.0")',
	'isInNet("a.example", "192.0.2.0", "255.255.255.0") && !isInNet("b.example", "192.0.2.0", "255.255.255.0")',
	'isInNet("255.1.2.3", "255.0.0.0", "255.0.0.0") && isInNet("10.1.2.3", "0.0.0.0", "0.0.0.0")',
	'!isInNet("nowhere.example", "0.0.0.0", "0.0.0.0") && !isInNet("a.example", "nonsense", "255.0.0.0")',
	'myIpAddress() === "192.0.2.99"',
	'shExpMatch(host, "*.ibm.com") && shExpMatch(url, "https://?support.*") && !shExpMatch("esupport-ibm-com", "*.ibm.com")',
	'dnsDomainIs(host, ".ibm.com") && !dnsDomainIs(host, ".example")',
	'dnsDomainLevels(host) === 2 && dnsDomainLevels("intranet") === 0',
	'isPlainHostName("intranet") && !isPlainHostName(host)',
	'localHostOrDomainIs("esupport", host) && !localHostOrDomainIs("other.ibm.com", host)',
	'dateRange(1, 31) && dateRange("JAN", "DEC") && dateRange(1995, 2400) && !dateRange(1995, 1996)',
	'weekdayRange("SUN", "SAT") && weekdayRange("SUN", "SAT", "GMT")',
	'timeRange(0, 0, 0, 23, 59, 59)',
	'alert("a login page sees this") === undefined',
	'(globalThis.count = (globalThis.count || 0) + 1) === 1',
	'[typeof process, typeof require, typeof fetch, typeof setTimeout, typeof console].every(type => type === "undefined")',
	'/ibm\\.com$/.test(host) && [..."añ💥"].length === 3 && JSON.stringify({a: 1}) === \'{"a":1}\'',
];

test('scripts have the functions of their specification, and nothing of this machine', async t => {
	const {ask, write} = await openPacFile(t, '', {lookup});
	for (const expression of expressions) {
		write(deciding(expression));
		t.deepEqual(written(await ask()), ['http yes.example:1'], expression);
	}
	write(deciding('true'));
	await Promise.all(Array.from({length: 40}, (_, index) => ask(`host-${index}.example`)));
});

for (const [port, url] of [
	[443, 'https://esupport.ibm.com/'],
	[8443, 'https://esupport.ibm.com:8443/'],
	[80, 'http://esupport.ibm.com:80/'],
] as const) {
	test(`a script is told ${url} for port ${port}`, async t => {
		const {ask} = await openPacFile(t, 'function FindProxyForURL(url) { return "PROXY x:1; NOTE " + url; }');
		const {ask: told} = await openPacFile(t, deciding(`url === ${JSON.stringify(url)}`));
		t.deepEqual(written(await ask('esupport.ibm.com', port)), ['http x:1']);
		t.deepEqual(written(await told('esupport.ibm.com', port)), ['http yes.example:1']);
	});
}

test('what a script names is tried in its order, DIRECT only where that is allowed', async t => {
	const list = 'PROXY one.example:3128; HTTPS two.example:3129; SOCKS5 three.example; DIRECT';
	const proxies = ['http one.example:3128', 'https two.example:3129', 'socks5 three.example:1080'];
	const {ask, write} = await openPacFile(t, answering(list));
	t.deepEqual(written(await ask()), proxies);
	const free = await openPacFile(t, answering(list), {allowDirect: true});
	t.deepEqual(written(await free.ask()), [...proxies, 'direct']);
	for (const [script, said] of [
		[answering('DIRECT'), /says "DIRECT" for esupport\.ibm\.com, .* DIRECT \(allow_direct is not set\)\.$/],
		[answering(''), /says nothing for esupport\.ibm\.com, .* DIRECT \(allow_direct is not set\)\.$/],
		['function FindProxyForURL() { return null; }', /says nothing for/],
		[
			answering('nonsense; SOCKS4 old.example:1080'),
			/nonsense \(not known\), SOCKS4 old\.example:1080 \(SOCKS4 is not supported\)\.$/,
		],
	] as const) {
		write(script);
		const error = await t.throwsAsync(ask(), {instanceOf: BridgeError});
		t.is(error.code, 'ERR_NOT_CONFIGURED');
		t.regex(error.message, said);
	}
});

test('the credentials of the configuration go to each proxy of the script, and into no error', async t => {
	const {ask, write} = await openPacFile(t, answering('PROXY a:1; SOCKS5 b:2'), {username: 'user'});
	for (const candidate of await ask()) {
		t.like(candidate, {username: 'user'});
		t.is(typeof candidate === 'object' && candidate.password?.reveal(), pacPassword);
	}
	write(`function FindProxyForURL() { throw new Error("at http://user:hunter2@proxy.example:3128"); }`);
	const error = await t.throwsAsync(ask(), {instanceOf: BridgeError});
	t.notRegex(inspect(error, {depth: Number.POSITIVE_INFINITY, showHidden: true}), /hunter2|Zx9/);
});

const good = answering('PROXY proxy.example:3128');

/** What every complaint about a script has in common: one line, which file, and the way out. */
function isComplaint(t: ExecutionContext, error: BridgeError, file: string): void {
	t.is(error.code, 'ERR_PAC', error.message);
	t.is(error.hop, 'proxy');
	t.true(error.message.startsWith(`The PAC file ${file} `), error.message);
	t.regex(error.message, /^[^\p{C}]{20,600} Correct it, or name the proxy itself with proxy: \{url: …\}\.$/u);
}

for (const [what, script] of [
	['that never returns', 'function FindProxyForURL() { for (;;) {} }'],
	['that never ends being read', 'for (;;) {} function FindProxyForURL() {}'],
	['whose pattern takes years', deciding(`shExpMatch("${'a'.repeat(60)}", "${'*a'.repeat(20)}b")`)],
] as const) {
	test.serial(`a script ${what} is ended in time, and the next one works`, async t => {
		const {ask, write, file} = await openPacFile(t, script, {limitMillis: 1000});
		const error = await t.throwsAsync(ask(), {instanceOf: BridgeError});
		isComplaint(t, error, file);
		t.regex(error.message, /does not come to an end within 1000 ms/);
		write(good);
		t.deepEqual(written(await ask()), ['http proxy.example:3128']);
	});
}

const broken: [what: string, script: string, said: RegExp][] = [
	[
		'throws',
		'function FindProxyForURL() { throw new TypeError("no luck\\ntoday"); }',
		/fails: TypeError: no luck today\. Correct it/,
	],
	['throws nothing', 'function FindProxyForURL() { throw undefined; }', /fails: /],
	['throws when it is read', 'function FindProxyForURL() {} throw new Error("early")', /fails when it is read: Error: early/],
	['calls itself without end', 'function FindProxyForURL() { return FindProxyForURL(); }', /fails: it calls itself too deeply\./],
	[
		'takes memory without end',
		'function FindProxyForURL() { const all = []; for (;;) all.push({a: 1}); }',
		/fails: InternalError: out of memory/,
	],
	['has a syntax error', 'function FindProxyForURL( { return }', /is not JavaScript: SyntaxError/],
	['is a page', '<html>FindProxyForURL</html>', /is not JavaScript: SyntaxError/],
	['has the name and no function', 'var FindProxyForURL = "PROXY a:1";', /has no function FindProxyForURL/],
	['answers with a number', 'function FindProxyForURL() { return 42; }', /answers with a number instead of a text/],
	['answers with nothing', 'function FindProxyForURL() {}', /answers with nothing instead of a text/],
	['answers with a promise', 'async function FindProxyForURL() { return "DIRECT"; }', /answers with an object instead of a text/],
	[
		'answers with a book',
		'function FindProxyForURL() { return "PROXY a:1;".repeat(1e5); }',
		/answers with 1000000 characters, which is no list of proxies/,
	],
	[
		'asks for names without end',
		'function FindProxyForURL() { for (let i = 0; ; i++) dnsResolve("n" + i); }',
		/fails: RangeError: asks for more than 32 names/,
	],
];

test.serial('a script that breaks in whatever way is an error that says how, and the next one works', async t => {
	const {ask, write, file} = await openPacFile(t, good);
	await ask();
	for (const [what, script, said] of broken) {
		write(script);
		const error = await t.throwsAsync(ask(), {instanceOf: BridgeError}, what);
		isComplaint(t, error, file);
		t.regex(error.message, said);
		write(good);
		t.deepEqual(written(await ask()), ['http proxy.example:3128'], what);
	}
});

test.serial('a script as large as a file may be works', async t => {
	const line = (index: number) => `if (dnsDomainIs(host, ".site${index}.example")) return "PROXY proxy${index}.example:3128";\n`;
	const lines = Array.from({length: 12_000}, (_, index) => line(index)).join('');
	const {ask} = await openPacFile(t, `function FindProxyForURL(url, host) {\n${lines}return "PROXY proxy.example:3128";\n}`);
	t.true(lines.length > 900_000 && lines.length < 1024 ** 2);
	t.deepEqual(written(await ask()), ['http proxy.example:3128']);
});

test('a file that is missing, is none, is too large or holds something else is said', async t => {
	const {ask, write, file} = await openPacFile(t, `//${'x'.repeat(10 * 1024 ** 2)}`);
	for (const [said, next] of [
		[/cannot be loaded: larger than 1048576 bytes/, () => write('PROXY proxy.example:3128')],
		[/cannot be loaded: there is no FindProxyForURL in it/, () => rmSync(file)],
		[/cannot be loaded: ENOENT/, () => mkdirSync(file)],
		[/cannot be loaded: it is not a file/, () => {}],
	] as const) {
		const error = await t.throwsAsync(ask(), {instanceOf: BridgeError});
		isComplaint(t, error, file);
		t.regex(error.message, said);
		next();
	}
});

test('a file that goes, or breaks, after it has worked: the last one is used, and one warning says so', async t => {
	const {ask, write, file, said} = await openPacFile(t, answering('PROXY good.example:1'));
	await ask();
	for (const spoil of [() => rmSync(file), () => write('gone'), () => write(`//${'x'.repeat(2 * 1024 ** 2)}`)]) {
		spoil();
		for (let turn = 0; turn < 2; turn++) t.deepEqual(written(await ask()), ['http good.example:1']);
	}
	t.is(said.length, 3, said.join('\n'));
	t.regex(said[0] ?? '', /cannot be loaded again: ENOENT.*The last one is used\.$/);
	write(answering('PROXY new.example:1'));
	t.deepEqual(written(await ask()), ['http new.example:1']);
	t.is(said.length, 3);
});

test('a name that nobody answers keeps a script waiting for a second, not for ever', async t => {
	const {ask} = await openPacFile(t, deciding('dnsResolve("slow.example") === null'), {
		lookup: (_host, _family, signal) =>
			new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
	});
	t.deepEqual(written(await ask()), ['http yes.example:1']);
});

test('whoever gives up, or closes, waits no longer', async t => {
	const {ask, close, write} = await openPacFile(t, 'function FindProxyForURL() { for (;;) {} }');
	const code = 'ERR_CONNECTION_TIMEOUT';
	await t.throwsAsync(ask('a.example', 443, AbortSignal.timeout(50)), {
		code,
		message: /no answer within the time for the attempt/,
	});
	await t.throwsAsync(ask('a.example', 443, AbortSignal.abort()), {code, message: /was given up before anything was sent/});
	const waiting = [ask('b.example'), ask('c.example')].map(asked => t.throwsAsync(asked, {code, message: /was given up/}));
	await close();
	await Promise.all(waiting);
	write(answering('PROXY late.example:1'));
	await t.throwsAsync(ask(), {code});
});

test('questions are answered one by one, each its own, and beyond a hundred none is taken', async t => {
	const {ask} = await openPacFile(t, 'function FindProxyForURL(url, host) { return "PROXY " + host + ":1"; }');
	const hosts = Array.from({length: 120}, (_, index) => `host-${index}.example`);
	const answers = await Promise.allSettled(hosts.map(host => ask(host)));
	const answered = answers.flatMap((answer, index) =>
		answer.status === 'fulfilled' ? [[written(answer.value), hosts[index]]] : [],
	);
	t.is(answered.length, 100);
	for (const [proxies, host] of answered) t.deepEqual(proxies, [`http ${host}:1`]);
	for (const answer of answers) {
		if (answer.status === 'rejected') t.regex(answer.reason.message, /has 100 questions to answer already/);
	}
	t.deepEqual(written(await ask('again.example')), ['http again.example:1']);
});
