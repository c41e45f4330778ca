import test from 'ava';
import {parseConfig} from '../../../src/config.ts';
import {snmpConfig} from '../../helpers/snmp.ts';

/** What is wrong with `receivers.snmp`, by path and message. */
function faultsOf(snmp: unknown): string[] {
	const settings = {exporter: {sandbox: {}}, receivers: {snmp}};
	return parseConfig(JSON.stringify(settings), '.', {}).faults.map(({path, message}) => `${path}: ${message}`);
}

const user = {name: 'trap', auth_password: 'proof-of-the-user'};
const beyond = '0.0.0.0:1162';

test('what listens beyond loopback needs more proof than a community', t => {
	const refused = /receivers\.snmp\.traps\.endpoint: 0\.0\.0\.0 is beyond loopback/;
	t.regex(faultsOf({traps: {endpoint: beyond, communities: ['secret']}}).join(), refused);
	t.regex(faultsOf({traps: {endpoint: beyond, users: [{name: 'plain'}]}}).join(), refused);
	for (const more of [{clients: ['192.0.2.0/24']}, {insecure: true}])
		t.deepEqual(faultsOf({traps: {endpoint: beyond, communities: ['secret'], ...more}}), []);
	t.deepEqual(faultsOf({traps: {endpoint: beyond, users: [user]}}), []);
	t.deepEqual(faultsOf({traps: {communities: ['secret']}}), []);
});

const faulty: Record<string, [snmp: unknown, fault: RegExp]> = {
	'nobody who may send': [{traps: {}}, /traps: names nobody/],
	'a password that is too short': [
		{traps: {users: [{name: 'a', auth_password: 'short'}]}},
		/auth_password: has fewer than the 8/,
	],
	'privacy without proof': [
		{traps: {users: [{name: 'a', priv_password: 'privacy-of-the-user'}]}},
		/priv_password: needs auth_password/,
	],
	'a network that is none': [{traps: {communities: ['c'], clients: ['192.0.2.0/40']}}, /clients\[0\]: "192\.0\.2\.0\/40" is not/],
	'an engine id that is none': [{traps: {users: [{...user, engine_id: '0x12'}]}}, /engine_id: is not an engine id/],
	'a host without its community': [{poll: {hosts: [{host: 'imm1', version: '1'}]}}, /hosts\[0\]\.community: is missing/],
	'a host without its user': [{poll: {hosts: [{host: 'imm1'}]}}, /hosts\[0\]\.user: is missing/],
	'a host that is listed twice': [
		{poll: {hosts: ['imm1', 'IMM1'].map(host => ({host, user}))}},
		/hosts\[1\]\.host: imm1:161 is listed twice/,
	],
	'a key that there is not': [{poll: {hosts: [{host: 'imm1', user, comunity: 'secret'}]}}, /comunity: unknown key/],
};
for (const [title, [snmp, fault]] of Object.entries(faulty))
	test(`${title} is a fault with its place`, t => {
		t.regex(faultsOf(snmp).join('\n'), fault);
		t.notRegex(faultsOf(snmp).join('\n'), /privacy-of|proof-of/);
	});

test('des is refused where Node does not have it', t => {
	const des = {...user, priv_protocol: 'des', priv_password: 'privacy-of-the-user'};
	t.regex(
		faultsOf({traps: {users: [des]}}).join(),
		/priv_protocol: des works only when Node runs with --openssl-legacy-provider/,
	);
});

test('the defaults can be read', t => {
	const {traps, poll} = snmpConfig({traps: {users: [user]}, poll: {}});
	t.like(traps, {endpoint: {host: '127.0.0.1', port: 1162}, receive_buffer: 4 * 1024 ** 2, queue_size: 50_000, insecure: false});
	t.like(poll, {interval: 60_000, timeout: 5000, retries: 1, max_interval: 900_000, concurrency: 200, max_repetitions: 12});
});
