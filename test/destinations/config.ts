import {Resolver} from 'node:dns';
import {isIP} from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import {parseConfig} from '../../src/config.ts';
import {destinationsSchema} from '../../src/destinations/config.ts';
import {isHostName} from '../../src/destinations/host.ts';

const faultsOf = (text: string) =>
	parseConfig(`exporter: {sandbox: {}}\ndestinations:\n${text}`, '.', {}).faults.map(
		({line, path, message}) => `${line} ${path} ${message}`,
	);

test('each fault is named with its line, and says how to write it right', t => {
	const faults = faultsOf(`  generation: yesterday
  dns_servers: [192.0.2.53, dns.example, "2001:db8::53", "[192.0.2.53]"]
  problem_reporting:
    - host: "*.ibm.com"
    - {host: "https://esupport.ibm.com"}
    - {host: a.example, port: 80}
    - {host: a.example, port: 70000}
  extended_error_data: []
  configuration_updates:
    - {host: a.example, port: 80}
    - {host: b.example, addresses: [a.example, "fe80::1%eth0"]}
    - {host: c.example, path: "app x"}
    - {hots: c.example}
`);
	const expected = [
		/^3 destinations\.generation /,
		/^4 destinations\.dns_servers\[1\] is not the address of a DNS server.*"\[2001:db8::53\]:5353"/,
		/^4 destinations\.dns_servers\[3\] /,
		/^6 destinations\.problem_reporting\[0\]\.host has a wildcard: each server is named by itself$/,
		/^7 destinations\.problem_reporting\[1\]\.host is not a host name.*no scheme/,
		/^8 destinations\.problem_reporting\[2\]\.port is plain HTTP, which only configuration_updates may use/,
		/^9 destinations\.problem_reporting\[3\]\.port is not a port: 1 to 65535$/,
		/^10 destinations\.extended_error_data needs at least one server$/,
		/^13 destinations\.configuration_updates\[1\]\.addresses\[0\] is not an IP address/,
		/^13 destinations\.configuration_updates\[1\]\.addresses\[1\] is not an IP address/,
		/^14 destinations\.configuration_updates\[2\]\.path is not the path of a URL/,
		/^15 destinations\.configuration_updates\[3\]\.host /,
		/^15 destinations\.configuration_updates\[3\]\.hots unknown key$/,
	];
	t.is(faults.length, expected.length, faults.join('\n'));
	for (const [index, pattern] of expected.entries()) t.regex(faults[index] ?? '', pattern);
});

test('updates may come over port 80 after a server with HTTPS, never from port 80 alone', t => {
	t.deepEqual(faultsOf('  configuration_updates: [{host: a.example}, {host: a.example, port: 80}]\n'), []);
	t.regex(faultsOf('  configuration_updates: [{host: a.example, port: 80}]\n').join(), /\[0\]\.port is plain HTTP, .*a backup/);
});

test('an empty section is the defaults', t => {
	t.deepEqual(destinationsSchema.parse({}), {
		generation: 'today',
		without_dns: false,
		allow_loopback: false,
		dns_servers: [],
	});
});

test('DNS servers are given with their port, in the form that a resolver takes', t => {
	const {dns_servers} = destinationsSchema.parse({
		dns_servers: ['192.0.2.53', '192.0.2.53:5353', '2001:db8::53', '[2001:db8::53]', '[2001:db8::53]:5353'],
	});
	t.deepEqual(dns_servers, ['192.0.2.53:53', '192.0.2.53:5353', '[2001:db8::53]:53', '[2001:db8::53]:53', '[2001:db8::53]:5353']);
	t.notThrows(() => new Resolver().setServers(dns_servers));
});

test('hostile names are refused', t => {
	for (const host of [
		'',
		'.',
		'esupport.ibm.com.',
		'esupport..ibm.com',
		'-a.example',
		'a-.example',
		'*.ibm.com',
		'*',
		'ibm.com/../x',
		'ibm.com@evil.example',
		'ibm.com:443',
		'ibm.com\u0000.evil.example',
		'ibm.com\n',
		'ibm.com evil.example',
		'\u0456bm.com',
		'127.1',
		'0x7f000001',
		'2130706433',
		'1.2.3.4.5',
		'[::1]',
		'fe80::1%eth0',
		`${'a'.repeat(64)}.example`,
		`${'a.'.repeat(127)}example`,
		'a'.repeat(100_000),
	]) {
		t.false(destinationsSchema.safeParse({problem_reporting: [{host}]}).success, JSON.stringify(host.slice(0, 50)));
	}
	for (const host of ['localhost', 'a', 'xn--bm-8ta.example', '192.0.2.1', '2001:db8::1', '1and1.example', 'A_b.example']) {
		t.true(destinationsSchema.safeParse({problem_reporting: [{host}]}).success, host);
	}
});

test('the value of a wrong host does not show: it may be a secret in the wrong place', t => {
	t.notRegex(faultsOf('  problem_reporting: [{host: "user:hunter2@ibm.com"}]\n').join(), /hunter2/);
});

test('a name that is taken means the same host in a URL', t => {
	let taken = 0;
	const character = fc.constantFrom(...'aZ09.-_:*%[]@/\\ \u0000é。x');
	fc.assert(
		fc.property(fc.oneof(fc.string({unit: character, maxLength: 20}), fc.domain(), fc.ipV4Extended(), fc.string()), text => {
			const host = text.toLowerCase();
			if (!isHostName(host)) return true;
			taken++;
			return new URL(`https://${host}:8443/x`).hostname === host && isIP(host) === 0;
		}),
		{numRuns: 5000},
	);
	t.true(taken > 500);
});

test('whatever is given as DNS server, it is refused or one that a resolver takes', t => {
	const resolver = new Resolver();
	const piece = fc.oneof(
		fc.ipV4(),
		fc.ipV6(),
		fc.constantFrom('[', ']', ':', '53', '0', '65536', '.', '%lo'),
		fc.string({maxLength: 3}),
	);
	let taken = 0;
	fc.assert(
		fc.property(fc.array(piece, {maxLength: 4}), pieces => {
			const parsed = destinationsSchema.safeParse({dns_servers: [pieces.join('')]});
			if (!parsed.success) return;
			taken++;
			resolver.setServers(parsed.data.dns_servers);
			if (resolver.getServers().length !== 1) throw new Error('not one server');
		}),
		{numRuns: 5000},
	);
	t.true(taken > 100);
});

test('whatever the section holds, the answer is a configuration or faults', t => {
	const value = fc.oneof(
		fc.string(),
		fc.integer(),
		fc.constant(null),
		fc.array(fc.dictionary(fc.constantFrom('host', 'port', 'x'), fc.anything())),
	);
	const key = fc.constantFrom('generation', 'dns_servers', 'problem_reporting', 'configuration_updates', '__proto__', 'x');
	fc.assert(
		fc.property(fc.dictionary(key, value), section => {
			const parsed = destinationsSchema.safeParse(section);
			return parsed.success ? parsed.data.generation !== undefined : parsed.error.issues.length > 0;
		}),
	);
	t.pass();
});
