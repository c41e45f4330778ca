import {X509Certificate} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {expectVouched} from '../../src/agent/trust.ts';
import {openWays} from '../../src/agent/ways.ts';
import type {Destination} from '../../src/destination.ts';
import {serversFor} from '../../src/destinations/list.ts';
import {readAuthorities} from '../../src/sending/authorities.ts';
import {pinOf} from '../../src/sending/certificates.ts';
import {configOf} from '../helpers/bridge.ts';
import {issue, makeAuthority} from '../helpers/certificates.ts';
import {temporaryDirectory} from '../helpers/listen.ts';
import {listenTls} from '../helpers/tls-server.ts';
import {authority, echo, failsWith, localhost, post} from '../helpers/ways-out.ts';

const foreign = await makeAuthority('Another authority');
const pinIn = (pem: string) => pinOf(new X509Certificate(pem).raw);
const leadingTo = (host: string): Destination[] => [
	{purpose: 'problem_reporting', generation: 'configured', servers: [{host, ports: [443], addresses: [], path: '/'}]},
];

/** Ways out as the agent opens them, whose servers are expected to show what the exporter's configuration says. */
async function openExpecting(t: ExecutionContext, pins: readonly string[]) {
	const directory = await temporaryDirectory(t);
	const caFile = join(directory, 'ca.pem');
	writeFileSync(caFile, `${foreign.certificate}\n${authority.certificate}\n`);
	const config = configOf(directory, {destinations: {allow_loopback: true}});
	const ways = openWays(config, () => {});
	t.teardown(() => ways.close());
	expectVouched(ways, {authorities: readAuthorities(caFile), pins}, () => serversFor(ways.destinations(), 'problem_reporting'));
	const [way] = ways.list;
	if (!way) throw new Error('no way');
	return {ways, way};
}

test("ca_file of the exporter counts for the exporter's servers and for no other host", async t => {
	const {ways, way} = await openExpecting(t, []);
	const url = await listenTls(t, localhost, echo);
	await failsWith(t, 'ERR_CERTIFICATE', post(way, url));
	ways.setDestinations(leadingTo('localhost'));
	t.is((await post(way, url)).statusCode, 200);
	const other = await listenTls(t, await issue(foreign, {commonName: 'other', hosts: ['127.0.0.1']}), echo);
	other.hostname = '127.0.0.1';
	await failsWith(t, 'ERR_CERTIFICATE', post(way, other));
});

test('a server that a signed update names is held to the pins as well', async t => {
	const url = await listenTls(t, localhost, echo);
	const {ways, way} = await openExpecting(t, [pinIn(foreign.certificate)]);
	ways.setDestinations(leadingTo('localhost'));
	t.regex(await failsWith(t, 'ERR_CERTIFICATE_PIN', post(way, url)), /has a pinned key: it was shown sha256\/\//);
	const right = await openExpecting(t, [pinIn(foreign.certificate), pinIn(localhost.certificate)]);
	right.ways.setDestinations(leadingTo('localhost'));
	t.is((await post(right.way, url)).statusCode, 200);
});
