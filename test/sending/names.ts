import {createSocket} from 'node:dgram';
import {once} from 'node:events';
import test, {type ExecutionContext} from 'ava';
import {BridgeError} from '../../src/errors.ts';
import {createLookup, type Family, type LookupOptions} from '../../src/sending/names.ts';
import {startDnsServer, type Zone} from '../helpers/dns-server.ts';
import {direct, failsWith, post} from '../helpers/ways-out.ts';

const signal = () => AbortSignal.timeout(30_000);

async function lookupIn(t: ExecutionContext, zone: Zone, options: LookupOptions = {}) {
	const {address, asked} = await startDnsServer(t, zone);
	const lookup = createLookup({servers: [address], ...options});
	return {address, asked, ask: (host: string, family: Family = 'ipv4') => lookup(host, family, signal())};
}

const both = ['192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2', '2001:db8::3'];

for (const [family, expected, questions] of [
	['ipv4', ['192.0.2.1', '192.0.2.2'], ['A both.example']],
	['ipv6', ['2001:db8::1', '2001:db8::2', '2001:db8::3'], ['AAAA both.example']],
	['any', ['2001:db8::1', '192.0.2.1', '2001:db8::2', '192.0.2.2', '2001:db8::3'], ['A both.example', 'AAAA both.example']],
] as const) {
	test(`all addresses of a name are found, with ${family} in its order`, async t => {
		const {ask, asked} = await lookupIn(t, {'both.example': both});
		t.deepEqual(await ask('both.example', family), expected);
		t.deepEqual(asked.toSorted(), questions);
	});
}

/** Where no server of IBM's can be: what filters and captive portals answer. */
const lies = [
	'127.0.0.1',
	'127.1.2.3',
	'0.0.0.0',
	'169.254.169.254',
	'224.0.0.1',
	'255.255.255.255',
	'::1',
	'::',
	'fe80::1',
	'ff02::1',
	'::ffff:127.0.0.1',
	'::ffff:169.254.1.1',
];

for (const lie of lies) {
	test(`a name that resolves to ${lie} leads nowhere`, async t => {
		const {ask} = await lookupIn(t, {'esupport.ibm.com': [lie]});
		const error = await t.throwsAsync(ask('esupport.ibm.com', 'any'), {instanceOf: BridgeError});
		t.is(error.code, 'ERR_NAME_MISLEADING');
		t.regex(
			error.message,
			/^The name esupport\.ibm\.com resolves to [\d.a-f:]+, where no server of that name can be\. A DNS server gives wrong answers, as a filter does: have the name excepted from it\.$/,
		);
	});
}

test('of several addresses those that can be are used', async t => {
	const {ask} = await lookupIn(t, {'esupport.ibm.com': ['127.0.0.1', '192.0.2.1', '0.0.0.0']});
	t.deepEqual(await ask('esupport.ibm.com'), ['192.0.2.1']);
});

test('nothing is connected to where a name misleads, and the error reaches whoever sends', async t => {
	const {address} = await startDnsServer(t, {'esupport.ibm.com': ['127.0.0.1']});
	const way = direct(t, {lookup: createLookup({servers: [address]})});
	await failsWith(t, 'ERR_NAME_MISLEADING', post(way, new URL('https://esupport.ibm.com/')));
});

test('loopback is allowed where the configuration says so, by its own name, and as an address', async t => {
	const zone = {'tunnel.example': ['127.0.0.1'], localhost: ['127.0.0.1'], 'a.localhost': ['127.0.0.1']};
	t.deepEqual(await (await lookupIn(t, zone, {allowLoopback: true})).ask('tunnel.example'), ['127.0.0.1']);
	const {ask} = await lookupIn(t, zone);
	await t.throwsAsync(ask('tunnel.example'), {code: 'ERR_NAME_MISLEADING'});
	t.deepEqual(await ask('localhost'), ['127.0.0.1']);
	t.deepEqual(await ask('a.localhost'), ['127.0.0.1']);
	t.deepEqual(await ask('127.0.0.1'), ['127.0.0.1']);
});

test('for whom the private network is closed, no address of it is found, whatever its spelling', async t => {
	const {ask} = await lookupIn(
		t,
		{'rebound.example': ['10.0.0.1', '192.0.2.1', '198.18.0.1', 'fd00::1', '2001:db8::1']},
		{publicOnly: true},
	);
	await t.throwsAsync(ask('rebound.example', 'any'), {code: 'ERR_NAME_MISLEADING'});
	const disguised = ['::10.0.0.1', '::ffff:0:10.0.0.1', '64:ff9b::10.0.0.1', '2002:a00:1::1', '2001:0:a00:1::1', '192.88.99.1'];
	for (const address of ['192.168.1.1', '100.64.0.1', '127.0.0.1', '::1', 'fd00::1', '::ffff:10.0.0.1', ...disguised]) {
		await t.throwsAsync(ask(address, 'any'), {code: 'ERR_NAME_MISLEADING'}, address);
	}
	t.deepEqual(await ask('129.42.54.189'), ['129.42.54.189']);
});

for (const [what, host, said] of [
	[
		'does not exist',
		'nowhere.example',
		/^The name nowhere\.example cannot be resolved with IPv4 \(ENOTFOUND\)\. Check its spelling .* or use a proxy, which resolves names itself\.$/,
	],
	['has no address of the kind', 'six.example', /cannot be resolved with IPv4 \(ENODATA\)/],
	[
		'is refused by the server',
		'broken.example',
		/the DNS server 127\.0\.0\.1:\d+ gives no answer \(ESERVFAIL\)\. Check whether DNS works here/,
	],
] as const) {
	test(`a name that ${what} is named with what to look at`, async t => {
		const {ask} = await lookupIn(t, {'six.example': ['2001:db8::1'], 'broken.example': 'servfail'});
		const error = await t.throwsAsync(ask(host), {instanceOf: BridgeError});
		t.is(error.code, 'ERR_NAME_NOT_FOUND');
		t.regex(error.message, said);
	});
}

test('a DNS server that is silent, talks nonsense or is gone is waited for no longer than the stage allows', async t => {
	const {address} = await startDnsServer(t, {'silent.example': 'silent', 'garbage.example': 'garbage'});
	const closed = createSocket('udp4').bind(0, '127.0.0.1');
	await once(closed, 'listening');
	const {port} = closed.address();
	closed.close();
	for (const [host, server] of [
		['silent.example', address],
		['garbage.example', address],
		['gone.example', `127.0.0.1:${port}`],
	] as const) {
		const way = direct(t, {lookup: createLookup({servers: [server]}), connectTimeoutMillis: 300});
		const message = await failsWith(t, 'ERR_NAME_NOT_FOUND', post(way, new URL(`https://${host}/`)));
		t.regex(
			message,
			/^The name \w+\.example cannot be resolved: (no DNS server answers within 300 ms\. Check this machine's DNS servers|the DNS server .* gives no answer)/,
		);
	}
});

test('a second server is asked when the first is silent', async t => {
	const silent = await startDnsServer(t, {'a.example': 'silent'});
	const {address} = await startDnsServer(t, {'a.example': ['192.0.2.1']});
	t.deepEqual(await createLookup({servers: [silent.address, address]})('a.example', 'ipv4', signal()), ['192.0.2.1']);
	t.true(silent.asked.length > 0);
});

test('without DNS the known addresses of a name are used, and only then', async t => {
	const known = (host: string) => (host.startsWith('known') ? ['192.0.2.9'] : []);
	const {ask} = await lookupIn(t, {'known-there.example': ['192.0.2.1'], 'known-broken.example': 'servfail'}, {known});
	t.deepEqual(await ask('known-there.example'), ['192.0.2.1']);
	t.deepEqual(await ask('known-broken.example'), ['192.0.2.9']);
	t.deepEqual(await ask('known-nowhere.example'), ['192.0.2.9']);
	await t.throwsAsync(ask('other.example'), {code: 'ERR_NAME_NOT_FOUND'});
});
