import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {parse} from 'yaml';
import {firewall} from '../src/cli/firewall.ts';
import {setSupportProxy} from '../src/cli/support-proxy-set.ts';
import {parseConfig} from '../src/config.ts';
import {temporaryDirectory} from './helpers/listen.ts';

const ibm = 'location: {country: CH}\nexporter: {call_home_connect: {customer_number: "1234567"}}\n';

function shown(text: string) {
	const {config, faults} = parseConfig(text, '.', {});
	if (!config) throw new Error(JSON.stringify(faults));
	const {json} = firewall({config, faults, source: 'callhome.yaml', embedded: false}, {request: true}, 'db01.example');
	return json as {request: string; destinations: {host: string}[]; rules: {port: number}[]};
}

test('with a support proxy, what its clients ask for passes too, and they come in', t => {
	const text = `${ibm}support_proxy: {endpoint: "0.0.0.0:5026", insecure: true}\n`;
	const {rules, request, destinations} = shown(text);
	t.is(new Set(destinations.map(({host}) => host)).size, 9);
	t.like(rules.at(-1), {direction: 'inbound', to: 'this machine', port: 5026, protocol: 'http proxy (CONNECT)'});
	t.regex(request ?? '', /inbound +the systems that call home through it +db01\.example +5026\/tcp/);
	t.regex(request ?? '', /do not end it before 300 seconds/);
	t.is(shown(`${ibm}support_proxy: {}\n`).rules.filter(({port}) => port === 5026).length, 0, 'loopback needs no rule');
});

test('the support proxy is set and taken away, the rest of the file stays', async t => {
	const written = `${ibm}# what may leave\nconsent: {cases:   true}\n`;
	const file = join(await temporaryDirectory(t), 'callhome.yaml');
	const read = (name: string) => readFileSync(name, 'utf8');
	writeFileSync(file, written);
	setSupportProxy(file, {endpoint: '127.0.0.1:5026'});
	setSupportProxy(file, {clients: '192.0.2.0/24, 2001:db8::/32'});
	t.deepEqual((parse(read(file)) as {support_proxy: unknown}).support_proxy, {
		endpoint: '127.0.0.1:5026',
		clients: ['192.0.2.0/24', '2001:db8::/32'],
	});
	t.true(read(file).startsWith(written));
	setSupportProxy(file, {off: true});
	t.is(read(file), written);
	t.throws(() => setSupportProxy(file, {}), {code: 'ERR_USAGE'});
	t.throws(() => setSupportProxy(file, {off: true, endpoint: '127.0.0.1:1'}), {code: 'ERR_USAGE'});
	t.throws(() => setSupportProxy(file, {endpoint: '0.0.0.0:5026'}), {code: 'ERR_CONFIG', message: /support_proxy/});
	t.is(read(file), written);
});
