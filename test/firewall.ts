import {stripVTControlCharacters} from 'node:util';
import test from 'ava';
import {firewall} from '../src/cli/firewall.ts';
import {parseConfig} from '../src/config.ts';

const contact = 'contact: {organization: Example AG, name: Operations, email: ops@example.com, phone: "+41 44 555 01 00"}\n';
const ibm = `${contact}location: {country: CH}\nexporter: {call_home_connect: {customer_number: "1234567", api_key: s3cr3t-key, timeout: 90s}}\n`;

function loaded(text: string) {
	const {config, faults} = parseConfig(text, '.', {PROXY_PASSWORD: 'hunter2-hunter2'});
	if (!config) throw new Error(JSON.stringify(faults));
	return {config, faults, source: 'callhome.yaml', embedded: false};
}

type Shown = {
	sandbox: boolean;
	destinations: {purpose: string; host: string; port: number; addresses_published_in: string | null}[];
	rules: {
		direction: string;
		connections: string[];
		from: string;
		to: string;
		port: number;
		protocol: string;
		purposes: string[];
	}[];
	notes: string[];
	request?: string;
};
const asJson = (text: string, options: Parameters<typeof firewall>[1] = {}) =>
	firewall(loaded(text), options, 'db01.example').json as Shown;
const rulesOf = (text: string, options?: Parameters<typeof firewall>[1]) =>
	asJson(text, options).rules.map(({from, to, port, protocol}) => `${from} > ${to}:${port} ${protocol}`);
/** Columns are as wide as their contents: one blank is as good as five. */
const squeezed = (lines: readonly string[]) => lines.map(line => stripVTControlCharacters(line).replaceAll(/ {2,}/g, '  '));

test('a direct connection needs three hosts on 443, and the table says which path', t => {
	t.deepEqual(squeezed(firewall(loaded(ibm), {}).lines), [
		'PURPOSE  LIST  ROLE  HOST  PORT  PROTOCOL  PATH  ADDRESSES AS PUBLISHED',
		'problem_reporting  today  primary  esupport.ibm.com  443  https  /connect/api/v1  192.148.6.11',
		'service_information  today  primary  esupport.ibm.com  443  https  /connect/api/v1  192.148.6.11',
		'extended_error_data  today  primary  www.ecurep.ibm.com  443  https  /app/upload_tid, /app/upload_sf  -',
		'extended_error_data  today  backup  www.secure.ecurep.ibm.com  443  https  /app/upload_tid, /app/upload_sf  -',
		'',
		'DIRECTION  FROM  TO  PORT  PROTOCOL  CONNECTION  FOR',
		'outbound  this machine  esupport.ibm.com  443  https  direct  problem_reporting, service_information',
		'outbound  this machine  www.ecurep.ibm.com  443  https  direct  extended_error_data',
		'outbound  this machine  www.secure.ecurep.ibm.com  443  https  direct  extended_error_data',
		'',
		'Resolve the names: addresses change, and a rule by name keeps working.',
		"Addresses are as published in IBM's page on the connectivity of its Technical Support Appliance, as read in November 2026.",
		"Names are resolved by this machine's own resolver, or by the proxy.",
		'Nothing has to reach this machine from outside.',
		'Port 80 is not needed.',
	]);
});

test('with a proxy alone, this machine reaches the proxy and nothing else', t => {
	const text = `${ibm}connections: [{proxy: {url: "https://callhome:\${env:PROXY_PASSWORD}@proxy.example:3129"}}]\n`;
	t.deepEqual(rulesOf(text), [
		'this machine > proxy.example:3129 https proxy (CONNECT within TLS)',
		'proxy proxy.example:3129 > esupport.ibm.com:443 https',
		'proxy proxy.example:3129 > www.ecurep.ibm.com:443 https',
		'proxy proxy.example:3129 > www.secure.ecurep.ibm.com:443 https',
	]);
});

test('the request to a firewall team can be pasted as it is', t => {
	const text = `${ibm}connections: [{name: corp, proxy: {url: "http://callhome:\${env:PROXY_PASSWORD}@proxy.example:3128"}}, {name: straight, direct: {}}]\n`;
	t.deepEqual(squeezed(firewall(loaded(text), {request: true}, 'db01.example').lines), [
		'Subject: Firewall rules for call home to IBM from db01.example',
		'',
		'Reason',
		'db01.example runs Callhome Bridge. It reports hardware faults of IBM systems to IBM, which opens a service case for each.',
		'Every connection to IBM begins on our side. Without these rules a hardware fault does not reach IBM.',
		'',
		'Rules',
		'NO  DIRECTION  SOURCE  DESTINATION  PORT  PROTOCOL  FOR',
		'1  outbound  db01.example  proxy.example  3128/tcp  http proxy (CONNECT)  problem reporting, service information, extended error data',
		'2  outbound  proxy proxy.example:3128  esupport.ibm.com  443/tcp  https  problem reporting, service information',
		'3  outbound  proxy proxy.example:3128  www.ecurep.ibm.com  443/tcp  https  extended error data',
		'4  outbound  proxy proxy.example:3128  www.secure.ecurep.ibm.com  443/tcp  https  extended error data',
		'5  outbound  db01.example  esupport.ibm.com  443/tcp  https  problem reporting, service information',
		'6  outbound  db01.example  www.ecurep.ibm.com  443/tcp  https  extended error data',
		'7  outbound  db01.example  www.secure.ecurep.ibm.com  443/tcp  https  extended error data',
		'The connections are tried in this order: corp, straight.',
		'',
		'Addresses',
		'Write the rules by name where the firewall can: IBM changes the addresses. Where it cannot, resolve the names regularly.',
		"esupport.ibm.com: 192.148.6.11 (as published in IBM's page on the connectivity of its Technical Support Appliance, as read in November 2026)",
		'www.ecurep.ibm.com: no addresses are published',
		'www.secure.ecurep.ibm.com: no addresses are published',
		'',
		'TLS inspection',
		'Exempt these hosts, by name and by address, from TLS inspection and from protocol detection:',
		'esupport.ibm.com, www.ecurep.ibm.com, www.secure.ecurep.ibm.com.',
		'IBM does not support inspection. The bridge refuses a certificate that an inspecting device puts in its place.',
		'',
		'On the proxy',
		'Allow the method CONNECT to each destination and port above whose source is a proxy, and leave the tunnel as it is.',
		'',
		'Idle sessions',
		'A session may be silent while IBM works on an answer: do not end it before 90 seconds.',
		'',
		'Not needed',
		'Nothing inbound: IBM never opens a connection to us.',
		'Port 80.',
		'Anything else to these hosts.',
		'',
		'Contact',
		'Organization: Example AG',
		'Name:  Operations',
		'E-mail:  ops@example.com',
		'Phone:  +41 44 555 01 00',
	]);
});

test('a PAC file: whence it is fetched, and that the proxy is what it names', t => {
	t.deepEqual(rulesOf(`${ibm}connections: [{pac: {url: "http://wpad.example/proxy.pac"}}]\n`), [
		'this machine > wpad.example:80 http',
		'the proxy that the PAC file names > esupport.ibm.com:443 https',
		'the proxy that the PAC file names > www.ecurep.ibm.com:443 https',
		'the proxy that the PAC file names > www.secure.ecurep.ibm.com:443 https',
	]);
	const froms = (text: string) => asJson(`${ibm}connections: [${text}]\n`).rules.map(({from}) => from);
	t.is(froms('{pac: {file: proxy.pac, allow_direct: true}}')[0], 'the proxy that the PAC file names, or this machine');
	t.is(froms('{from_environment: {}}')[0], 'the proxy that the environment names');
	t.regex(
		asJson(`${ibm}connections: [{pac: {file: proxy.pac}}]\n`, {request: true}).request ?? '',
		/Allow the method CONNECT to each destination/,
	);
});

test('a proxy that is not configured yet needs nothing, a chosen address is named', t => {
	t.deepEqual(rulesOf(`${ibm}connections: [{proxy: {url: ""}}]\n`), []);
	const [first] = asJson(`${ibm}connections: [{direct: {local_address: 192.0.2.7}}]\n`, {request: true}).rules;
	t.is(first?.from, 'this machine (192.0.2.7)');
});

test('a connection carries only what it is for', t => {
	const text = `${ibm}connections: [{name: uploads, for: [uploads], proxy: {url: "socks5://socks.example:1080"}}, {name: rest, for: [events], direct: {}}]\n`;
	t.deepEqual(rulesOf(text), [
		'this machine > socks.example:1080 SOCKS5',
		'proxy socks.example:1080 > www.ecurep.ibm.com:443 https',
		'proxy socks.example:1080 > www.secure.ecurep.ibm.com:443 https',
		'this machine > esupport.ibm.com:443 https',
	]);
});

test('port 80 appears with configuration updates alone, as GET', t => {
	const {destinations} = asJson(ibm, {generation: 'all'});
	t.is(new Set(destinations.map(({host}) => host)).size, 9);
	const plain = destinations.filter(({port}) => port === 80);
	t.deepEqual([...new Set(plain.map(({purpose}) => purpose))], ['configuration_updates']);
	t.deepEqual(
		rulesOf(ibm, {generation: 'white_paper_2015'}).filter(rule => rule.includes(':80')),
		['this machine > www-03.ibm.com:80 http (GET only)', 'this machine > www.ibm.com:80 http (GET only)'],
	);
	t.regex(asJson(ibm, {generation: 'white_paper_2015', request: true}).request ?? '', /Port 80 only where it stands above/);
	t.true(destinations.filter(({addresses_published_in}) => addresses_published_in?.includes('July 2015')).length >= 9);
});

test('name servers, telemetry and what listens for others are in the list, without what stays on the machine', t => {
	const text = `${ibm}destinations: {dns_servers: [192.0.2.53, "[2001:db8::53]:5353"]}
receivers: {otlp: {endpoint: "0.0.0.0:4319", bearer_token: s3cr3t-token}}
telemetry: {otlp: {endpoint: "https://otel.example", proxy: "http://u:hunter2-hunter2@telemetry-proxy.example:3128"}, metrics_endpoint: 127.0.0.1:9464}
`;
	t.deepEqual(rulesOf(text).slice(3), [
		'this machine > 192.0.2.53:53 DNS (UDP and TCP)',
		'this machine > 2001:db8::53:5353 DNS (UDP and TCP)',
		'this machine > telemetry-proxy.example:3128 http proxy (CONNECT)',
		'proxy telemetry-proxy.example:3128 > otel.example:443 OTLP over https',
		'the Collectors that forward events > this machine:4319 OTLP over http',
	]);
	t.regex(asJson(text, {request: true}).request ?? '', /Nothing inbound from the Internet/);
});

test('own servers replace the published ones, and the endpoint of the exporter is among them', t => {
	const text = `${contact}location: {country: CH}
exporter: {call_home_connect: {customer_number: "1234567", endpoint: "https://callhome.example:8443/api"}}
destinations: {extended_error_data: [{host: uploads.example, addresses: [192.0.2.9]}]}
`;
	t.deepEqual(rulesOf(text), ['this machine > callhome.example:8443 https', 'this machine > uploads.example:443 https']);
	t.regex(asJson(text, {request: true}).request ?? '', /uploads\.example: 192\.0\.2\.9 \(from our configuration\)/);
});

test('with the sandbox it says that nothing reaches IBM now', t => {
	const shown = asJson('exporter: {sandbox: {}}\n');
	t.true(shown.sandbox);
	t.regex(shown.notes[0] ?? '', /nothing reaches IBM now/);
	t.regex(asJson('exporter: {sandbox: {}}\n', {request: true}).request ?? '', /None is configured: fill in who asks/);
});

test('no form holds a secret, and none steers the terminal', t => {
	const text = `contact: {organization: "Example\\e[31m AG"}
location: {country: CH}
exporter: {call_home_connect: {customer_number: "1234567", api_key: s3cr3t-key}}
connections: [{proxy: {url: "http://callhome:\${env:PROXY_PASSWORD}@proxy.example:3128"}}]
telemetry: {otlp: {endpoint: "https://otel.example", headers: {authorization: s3cr3t-header}, proxy: "http://u:hunter2-hunter2@p.example:1"}}
`;
	for (const options of [{}, {request: true}, {generation: 'all'}]) {
		const {json, lines} = firewall(loaded(text), options);
		t.notRegex(JSON.stringify(json) + lines.join('\n'), /hunter2|s3cr3t|callhome:/);
		t.false(lines.join('\n').includes('\u001b[31m'));
	}
});

test('a list that is not known is refused with those that are', t => {
	t.throws(() => firewall(loaded(ibm), {generation: 'tomorrow'}), {code: 'ERR_USAGE', message: /today, white_paper_2015 or all/});
});
