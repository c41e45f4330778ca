import {inspect} from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import {connectionsSchema} from '../../src/sending/connections-config.ts';
import {readProxyUrl} from '../../src/sending/proxy-url.ts';

function parse(text: string) {
	const read = readProxyUrl(text);
	return 'proxy' in read ? {...read.proxy, password: read.proxy.password?.reveal()} : undefined;
}

for (const [url, expected] of [
	['http://proxy.example', {protocol: 'http', host: 'proxy.example', port: 80}],
	['HTTP://Proxy.Example:80', {protocol: 'http', host: 'proxy.example', port: 80}],
	['https://proxy.example', {protocol: 'https', port: 443}],
	['http://[::1]:3128/', {host: '::1', port: 3128}],
	['http://user:hunter2@proxy.example:3128', {username: 'user', password: 'hunter2', port: 3128}],
	['http://user:p%3Aa%40s%25s@proxy.example:3128', {username: 'user', password: 'p:a@s%s'}],
	['http://user:p:a@s@proxy.example:3128', {host: 'proxy.example', username: 'user', password: 'p:a@s'}],
	['http://m%C3%BCller:%E2%82%AC@proxy.example:3128', {username: 'müller', password: '€'}],
	['http://user@proxy.example:3128', {username: 'user', password: ''}],
	['http://:token@proxy.example:3128', {username: '', password: 'token'}],
	['socks5://proxy.example', {protocol: 'socks5', host: 'proxy.example', port: 1080, password: undefined}],
	['socks5h://PROXY.example:80', {protocol: 'socks5', host: 'proxy.example', port: 80}],
	['socks5://bücher.example:443', {protocol: 'socks5', host: 'xn--bcher-kva.example', port: 443}],
	['socks5://[2001:DB8::1]:1081/', {protocol: 'socks5', host: '2001:db8::1', port: 1081}],
	['socks5://0x7f.1:1081', {host: '127.0.0.1', port: 1081}],
	['socks5://us%3Aer:p%40ss@proxy.example', {username: 'us:er', password: 'p@ss'}],
	[`socks5://${'u'.repeat(255)}:${'%C3%A9'.repeat(127)}@proxy.example`, {username: 'u'.repeat(255), password: 'é'.repeat(127)}],
] as const) {
	test(`${url.slice(0, 60)} is read`, t => {
		t.like(parse(url), expected);
	});
}

for (const [what, url, fault] of [
	['no URL', 'user:hunter2@proxy', /not an http/],
	['a URL without slashes', 'http:user:hunter2@proxy.example:3128', /not an http/],
	['a broken port', 'http://user:hunter2/x@proxy.example:3128', /not a URL/],
	['a port beyond 65535', 'socks5://user:hunter2@proxy.example:65536', /not a URL/],
	['a # in the password', 'http://user:12#hunter2@proxy.example:3128', /after the port/],
	['a path', 'http://user:hunter2@proxy.example:3128/path', /after the port/],
	['a path behind SOCKS', 'socks5://user:hunter2@proxy.example:3128/path', /after the port/],
	['a bad escape', 'http://user:hunter2%zz@proxy.example:3128', /write % as %25/],
	['an escape that is no text', 'http://user:hunter2%ff@proxy.example:3128', /write % as %25/],
	['a colon in the user name', 'http://us%3Aer:hunter2@proxy.example:3128', /":" in the user name/],
	['a line break in the password', 'http://user:hunter2%0d%0a@proxy.example:3128', /control character/],
	['port 0', 'http://user:hunter2@proxy.example:0', /port 0/],
	['another protocol', 'ftp://user:hunter2@proxy.example:3128', /not an http/],
	['SOCKS4', 'socks4://user:hunter2@proxy.example', /other kinds of proxy are not supported/],
	['a protocol that every object knows', 'constructor://user:hunter2@proxy.example', /not an http/],
	['SOCKS5 without a host', 'socks5://user:hunter2@:1080', /not a URL/],
	['SOCKS5 with a host of the path', 'socks5:///user:hunter2@proxy.example', /not a URL/],
	['SOCKS5 with a user name alone', 'socks5://hunter2@proxy.example', /1 to 255 bytes/],
	['SOCKS5 with a password alone', 'socks5://:hunter2@proxy.example', /1 to 255 bytes/],
	['SOCKS5 with a long password', `socks5://user:hunter2${'é'.repeat(125)}@proxy.example`, /1 to 255 bytes/],
] as const) {
	test(`${what} is a fault that names the place and not the password`, t => {
		const {error} = connectionsSchema.safeParse([{direct: {}}, {proxy: {url}}]);
		t.deepEqual(error?.issues[0]?.path.slice(0, 3), [1, 'proxy', 'url']);
		t.regex(error?.issues[0]?.message ?? '', fault);
		t.notRegex(inspect(error, {depth: Number.POSITIVE_INFINITY, showHidden: true}), /hunter2/);
	});
}

const special = fc.constantFrom(
	'://',
	'/',
	'@',
	':',
	'%',
	'%40',
	'[',
	']',
	'?',
	'#',
	'\\',
	'\t',
	'\n',
	' ',
	'..',
	'::',
	'é',
	'💥',
);
const scheme = fc.constantFrom('http', 'https', 'socks5', 'socks5h', 'SOCKS5', 'socks4', 'ftp', '', 'constructor');
const jumble = fc.array(fc.oneof(special, fc.string({maxLength: 6})), {maxLength: 8}).map(parts => parts.join(''));

test('whatever is given for a proxy becomes a usable proxy or a fault that does not repeat it', t => {
	const password = 'Zx9-hunter2-Zx9';
	const property = fc.property(scheme, jumble, jumble, jumble, (protocol, before, between, after) => {
		const url = `${protocol}://${before}${password}${between}@proxy.example${after}`;
		const read = readProxyUrl(url);
		t.false(inspect(read, {depth: 9, showHidden: true}).includes(password) && 'fault' in read, url);
		if (!('proxy' in read)) return;
		const {host, port, username = '', password: secret} = read.proxy;
		t.true(host !== '' && !/[\s/@?#\\[\]%]/.test(host), url);
		t.true(Number.isInteger(port) && port > 0 && port < 65_536, url);
		t.false(/\p{Cc}/u.test(username + (secret?.reveal() ?? '')), url);
	});
	t.notThrows(() => fc.assert(property, {numRuns: 2000}));
});

test('what credentials hold comes back out of their percent-encoded form', t => {
	const clean = fc
		.string({unit: 'grapheme', minLength: 1, maxLength: 20})
		.filter(text => !/\p{C}/u.test(text) && text.isWellFormed());
	const property = fc.property(clean, clean, fc.constantFrom('http', 'https', 'socks5'), (username, password, protocol) => {
		const url = `${protocol}://${encodeURIComponent(username)}:${encodeURIComponent(password)}@proxy.example:3128`;
		const isImpossible = protocol !== 'socks5' && username.includes(':');
		const expected = isImpossible ? undefined : {protocol, host: 'proxy.example', port: 3128, username, password};
		t.deepEqual(parse(url), expected as ReturnType<typeof parse>);
	});
	t.notThrows(() => fc.assert(property));
});

test('any text as a url is an entry or a fault of the configuration', t => {
	const property = fc.property(fc.oneof(fc.string(), fc.webUrl({withQueryParameters: true, withFragments: true})), url => {
		t.notThrows(() => connectionsSchema.safeParse([{proxy: {url}}]));
	});
	t.notThrows(() => fc.assert(property));
});
