import {inspect} from 'node:util';
import test from 'ava';
import {connectionsSchema} from '../../src/sending/connections-config.ts';

const parse = (url: string) => {
	const [connection] = connectionsSchema.parse([{proxy: {url}}]);
	return connection && 'proxy' in connection ? {...connection.proxy, password: connection.proxy.password?.reveal()} : undefined;
};

test('the way out is direct when nothing else is said', t => {
	t.deepEqual(connectionsSchema.parse(undefined), [{direct: {}}]);
});

test('connections stay in the order in which they are written', t => {
	const parsed = connectionsSchema.parse([
		{proxy: {url: 'http://one.example:3128'}},
		{direct: {}},
		{proxy: {url: 'https://two.example', ca_file: '/etc/ca.pem'}},
	]);
	t.deepEqual(parsed, [
		{proxy: {protocol: 'http', host: 'one.example', port: 3128}},
		{direct: {}},
		{proxy: {protocol: 'https', host: 'two.example', port: 443, caFile: '/etc/ca.pem'}},
	]);
});

for (const [url, expected] of [
	['http://proxy.example', {host: 'proxy.example', port: 80}],
	['http://proxy.example:80', {host: 'proxy.example', port: 80}],
	['http://[::1]:3128/', {host: '::1', port: 3128}],
	['http://user:hunter2@proxy.example:3128', {username: 'user', password: 'hunter2', port: 3128}],
	['http://user:p%3Aa%40s%25s@proxy.example:3128', {username: 'user', password: 'p:a@s%s'}],
	['http://user:p:a@s@proxy.example:3128', {host: 'proxy.example', username: 'user', password: 'p:a@s'}],
	['http://m%C3%BCller:%E2%82%AC@proxy.example:3128', {username: 'müller', password: '€'}],
	['http://user@proxy.example:3128', {username: 'user', password: ''}],
	['http://:token@proxy.example:3128', {username: '', password: 'token'}],
] as const) {
	test(`${url} is read`, t => {
		t.like(parse(url), expected);
	});
}

for (const [what, url, fault] of [
	['no URL', 'user:hunter2@proxy', /not an http/],
	['a broken port', 'http://user:hunter2/x@proxy.example:3128', /not a URL/],
	['a # in the password', 'http://user:12#hunter2@proxy.example:3128', /after the port/],
	['a path', 'http://user:hunter2@proxy.example:3128/path', /after the port/],
	['a bad escape', 'http://user:hunter2%zz@proxy.example:3128', /write % as %25/],
	['an escape that is no text', 'http://user:hunter2%ff@proxy.example:3128', /write % as %25/],
	['a colon in the user name', 'http://us%3Aer:hunter2@proxy.example:3128', /":" in the user name/],
	['a line break in the password', 'http://user:hunter2%0d%0a@proxy.example:3128', /control character/],
	['port 0', 'http://user:hunter2@proxy.example:0', /port 0/],
	['another protocol', 'ftp://user:hunter2@proxy.example:3128', /not an http/],
	['an empty URL', '', /./],
] as const) {
	test(`${what} is a fault that names the place and not the password`, t => {
		const {error} = connectionsSchema.safeParse([{direct: {}}, {proxy: {url}}]);
		t.deepEqual(error?.issues[0]?.path.slice(0, 3), [1, 'proxy', 'url']);
		t.regex(error?.issues[0]?.message ?? '', fault);
		t.notRegex(inspect(error, {depth: Number.POSITIVE_INFINITY, showHidden: true}), /hunter2/);
	});
}

for (const [what, connections] of [
	['an empty list', []],
	['an empty entry', [{}]],
	['two ways in one entry', [{direct: {}, proxy: {url: 'http://proxy.example:3128'}}]],
	['an unknown key', [{proxy: {url: 'http://proxy.example:3128', ca: 'x'}}]],
	['a setting for the direct way', [{direct: {url: 'x'}}]],
	['authorities for a proxy without TLS', [{proxy: {url: 'http://proxy.example:3128', ca_file: '/etc/ca.pem'}}]],
] as const) {
	test(`${what} is a fault`, t => {
		t.false(connectionsSchema.safeParse(connections).success);
	});
}

test('a password is a secret from the moment it is read', t => {
	const parsed = connectionsSchema.parse([{proxy: {url: 'http://user:hunter2@proxy.example:3128'}}]);
	t.notRegex(inspect(parsed, {depth: Number.POSITIVE_INFINITY, showHidden: true}) + JSON.stringify(parsed), /hunter2/);
});
