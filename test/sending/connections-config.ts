import {inspect} from 'node:util';
import test from 'ava';
import {traffics} from '../../src/destination.ts';
import {Secret} from '../../src/secret.ts';
import {connectionsSchema} from '../../src/sending/connections-config.ts';

const everything = {depth: Number.POSITIVE_INFINITY, showHidden: true};
const usual = {for: [...traffics], family: 'ipv4', stageMillis: 5000} as const;

function faultOf(...connections: unknown[]): {at: string; message: string} {
	const {error} = connectionsSchema.safeParse(connections);
	const [issue] = error?.issues ?? [];
	return {at: issue?.path.join('.') ?? '', message: issue?.message ?? ''};
}

test('the way out is direct when nothing else is said', t => {
	t.deepEqual(connectionsSchema.parse(undefined), [{...usual, name: 'direct', way: {kind: 'direct'}}]);
});

test('connections of each kind stay in the order in which they are written', t => {
	const parsed = connectionsSchema.parse([
		{proxy: {url: 'http://one.example:3128'}},
		{direct: {}},
		{proxy: {url: 'https://two.example', ca_file: '/etc/ca.pem'}},
		{proxy: {url: 'socks5h://[::1]'}},
		{pac: {file: '/etc/callhome/proxy.pac'}},
		{from_environment: {}},
	]);
	t.deepEqual(parsed, [
		{...usual, name: 'proxy one.example:3128', way: {kind: 'proxy', proxy: {protocol: 'http', host: 'one.example', port: 3128}}},
		{...usual, name: 'direct', way: {kind: 'direct'}},
		{
			...usual,
			name: 'proxy two.example:443',
			way: {kind: 'proxy', proxy: {protocol: 'https', host: 'two.example', port: 443, caFile: '/etc/ca.pem'}},
		},
		{...usual, name: 'proxy [::1]:1080', way: {kind: 'proxy', proxy: {protocol: 'socks5', host: '::1', port: 1080}}},
		{...usual, name: 'pac', way: {kind: 'pac', source: {file: '/etc/callhome/proxy.pac'}, allowDirect: false}},
		{...usual, name: 'environment', way: {kind: 'from_environment', allowDirect: false}},
	]);
});

test('a PAC file comes from a URL, with credentials for the proxies that it names', t => {
	const [connection] = connectionsSchema.parse([
		{
			pac: {
				url: 'https://wpad.example/proxy.pac',
				ca_file: '/x.pem',
				username: 'user',
				password: new Secret('hunter2'),
				allow_direct: true,
			},
		},
	]);
	t.like(connection?.way, {kind: 'pac', caFile: '/x.pem', username: 'user', allowDirect: true});
	const way = connection?.way;
	if (way?.kind !== 'pac' || !('url' in way.source)) return t.fail();
	t.is(way.source.url.href, 'https://wpad.example/proxy.pac');
	t.is(way.password?.reveal(), 'hunter2');
	t.notRegex(inspect(connection, everything) + JSON.stringify(connection), /hunter2/);
});

for (const [what, place] of [
	['beside the kind', (settings: object) => ({...settings, direct: {}})],
	['among the settings of the kind', (settings: object) => ({direct: settings})],
] as const) {
	test(`what every connection takes is written ${what}`, t => {
		const settings = {name: 'straight', for: ['telemetry', 'events'], family: 'any', interface: 'eth1', connect_timeout: '1m'};
		t.deepEqual(connectionsSchema.parse([place(settings)]), [
			{
				name: 'straight',
				for: ['events', 'telemetry'],
				family: 'any',
				interface: 'eth1',
				stageMillis: 60_000,
				way: {kind: 'direct'},
			},
		]);
	});
}

test('the family follows the address to send from', t => {
	const familyOf = (settings: object) => connectionsSchema.parse([{direct: settings}])[0]?.family;
	t.is(familyOf({local_address: '192.0.2.7'}), 'ipv4');
	t.is(familyOf({local_address: '2001:db8::7'}), 'ipv6');
	t.is(familyOf({local_address: '2001:db8::7', family: 'any'}), 'ipv6');
	t.regex(faultOf({direct: {local_address: '2001:db8::7', family: 'ipv4'}}).message, /have to fit/);
});

test('a proxy without a URL is no fault, and has a name', t => {
	const parsed = connectionsSchema.parse([{direct: {}}, {proxy: {url: ''}}, {proxy: {url: ' ', ca_file: '/x.pem'}}]);
	t.deepEqual(parsed.slice(1), [
		{...usual, name: 'proxy 2', way: {kind: 'proxy', proxy: undefined}},
		{...usual, name: 'proxy 3', way: {kind: 'proxy', proxy: undefined}},
	]);
});

const proxy = {url: 'http://proxy.example:3128'};

for (const [what, connections, at, message] of [
	['an empty list', [], '', /at least one entry/],
	['an empty entry', [{}], '0', /exactly one of direct, proxy, pac, from_environment/],
	['two ways in one entry', [{direct: {}, proxy}], '0', /exactly one of/],
	['a proxy without the key url', [{proxy: {}}], '0.proxy.url', /./],
	['an unknown key', [{proxy: {...proxy, ca: 'x'}}], '0.proxy', /ca/],
	['a setting of a proxy for the direct way', [{direct: {url: 'x'}}], '0.direct', /url/],
	[
		'authorities for a proxy without TLS',
		[{proxy: {...proxy, ca_file: '/x.pem'}}],
		'0.proxy.ca_file',
		/only of use for an https/,
	],
	[
		'authorities for a SOCKS proxy',
		[{proxy: {url: 'socks5://x', ca_file: '/x.pem'}}],
		'0.proxy.ca_file',
		/only of use for an https/,
	],
	['the same proxy twice', [{proxy}, {direct: {}}, {proxy}], '2', /called "proxy proxy.example:3128": set name/],
	['the direct way twice', [{direct: {}}, {direct: {}}], '1', /set name/],
	[
		'a name that is used twice',
		[
			{name: 'a', direct: {}},
			{name: 'a', proxy},
		],
		'1',
		/called "a": set name/,
	],
	['an empty name', [{name: '', direct: {}}], '0.name', /./],
	['a name of two lines', [{name: 'a\nb', direct: {}}], '0.name', /control character/],
	['a setting that is written twice', [{name: 'a', direct: {name: 'a'}}], '0.name', /beside direct and in it/],
	['no traffic at all', [{for: [], direct: {}}], '0.for', /at least one of events, uploads/],
	['unknown traffic', [{for: ['mail'], direct: {}}], '0.for.0', /./],
	['an unknown family', [{family: 'ipx', direct: {}}], '0.family', /./],
	['a local address that is none', [{local_address: 'eth0', direct: {}}], '0.local_address', /not an IP address/],
	['a local address and an interface', [{local_address: '127.0.0.1', direct: {interface: 'lo'}}], '0.interface', /one of them/],
	['a timeout of nothing', [{connect_timeout: '0s', direct: {}}], '0.connect_timeout', /from 100ms to 2m/],
	['a timeout of an hour', [{connect_timeout: '1h', direct: {}}], '0.connect_timeout', /from 100ms to 2m/],
	['a timeout that is no duration', [{connect_timeout: 'soon', direct: {}}], '0.connect_timeout', /not a duration/],
	['a PAC file from nowhere', [{pac: {}}], '0.pac', /either a file or a url/],
	['a PAC file from two places', [{pac: {file: '/x', url: 'http://x/'}}], '0.pac', /either a file or a url/],
	['a PAC URL of another kind', [{pac: {url: 'ftp://x/'}}], '0.pac.url', /not an http/],
	['a PAC URL that is none', [{pac: {url: 'wpad'}}], '0.pac.url', /not a URL/],
	['credentials in a PAC URL', [{pac: {url: 'http://u:hunter2@x/'}}], '0.pac.url', /without any/],
	['authorities for a PAC file on disk', [{pac: {file: '/x', ca_file: '/x.pem'}}], '0.pac.ca_file', /https:\/\/ url/],
	['authorities for a PAC URL without TLS', [{pac: {url: 'http://x', ca_file: '/x.pem'}}], '0.pac.ca_file', /https:\/\/ url/],
	['a user name alone', [{pac: {file: '/x', username: 'u'}}], '0.pac.username', /give both/],
	['a password alone', [{pac: {file: '/x', password: 'hunter2'}}], '0.pac.password', /give both/],
	['a colon in the user name', [{pac: {file: '/x', username: 'u:u', password: 'hunter2'}}], '0.pac.username', /":"/],
	['a line break in the password', [{pac: {file: '/x', username: 'u', password: 'hunter2\n'}}], '0.pac.password', /control/],
	['a password of 256 bytes', [{pac: {file: '/x', username: 'u', password: 'ü'.repeat(128)}}], '0.pac.password', /255 bytes/],
	['DIRECT allowed for a proxy', [{proxy: {...proxy, allow_direct: true}}], '0.proxy', /allow_direct/],
] as const) {
	test(`${what} is a fault, and is named`, t => {
		const fault = faultOf(...connections);
		t.is(fault.at, at);
		t.regex(fault.message, message);
		t.notRegex(inspect(connectionsSchema.safeParse(connections).error, everything), /hunter2/);
	});
}

test('a password is a secret from the moment it is read', t => {
	const parsed = connectionsSchema.parse([{proxy: {url: 'http://user:hunter2@proxy.example:3128'}}]);
	t.notRegex(inspect(parsed, everything) + JSON.stringify(parsed), /hunter2/);
});
