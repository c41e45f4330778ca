import {X509Certificate} from 'node:crypto';
import {once} from 'node:events';
import {connect, type PeerCertificate} from 'node:tls';
import test, {type ExecutionContext} from 'ava';
import {callHomeConnectSchema} from '../../exporters/call-home-connect/config.ts';
import {trusting} from '../../src/sending/authorities.ts';
import {inspectedBy, pinOf} from '../../src/sending/certificates.ts';
import {publicKeyPin} from '../../src/settings.ts';
import {type Issued, issue, makeAuthority} from '../helpers/certificates.ts';
import {startConnectProxy} from '../helpers/connect-proxy.ts';
import {listenTls} from '../helpers/tls-server.ts';
import {authority, direct, echo, failsWith, localhost, post, through} from '../helpers/ways-out.ts';

const pinIn = (pem: string) => pinOf(new X509Certificate(pem).raw);
const leaf = pinIn(localhost.certificate);
const above = pinIn(authority.certificate);
const other = pinIn((await makeAuthority('Another authority')).certificate);

const pinned = (t: ExecutionContext, ...pins: string[]) => direct(t, {trustOf: () => trusting([authority.certificate], pins)});

for (const [what, pins] of [
	['of the server', [leaf]],
	['of the authority above it', [above]],
	['that is a spare one beside a key not in use', [other, leaf]],
] as const) {
	test(`a pinned key ${what} lets the request pass`, async t => {
		t.is((await post(pinned(t, ...pins), await listenTls(t, localhost, echo))).statusCode, 200);
	});
}

test('without a pinned key in its chain a server is shown nothing, and the error names what it showed', async t => {
	let asked = 0;
	const url = await listenTls(t, localhost, () => {
		asked++;
	});
	const message = await failsWith(t, 'ERR_CERTIFICATE_PIN', post(pinned(t, other), url));
	t.is(
		message,
		`None of the certificates of ${url.host} has a pinned key: it was shown sha256//${leaf}, sha256//${above}, ` +
			'for "CN=localhost", from "CN=Test authority". If the service has a new key, correct pins; otherwise somebody stands between.',
	);
	t.is(asked, 0);
});

test('pins hold behind a proxy as well, and not for the proxy itself', async t => {
	const url = await listenTls(t, localhost, echo);
	const proxy = await startConnectProxy(t);
	const trustOf = (...pins: string[]) => ({trustOf: () => trusting([authority.certificate], pins)});
	t.is((await post(through(t, proxy.port, trustOf(above)), url)).statusCode, 200);
	await failsWith(t, 'ERR_CERTIFICATE_PIN', post(through(t, proxy.port, trustOf(other)), url));
});

test('an inspection that is trusted here does not pass by showing the pinned certificate beside its own', async t => {
	const inspector = await makeAuthority(authority.name);
	const {certificate, key} = await issue(inspector, {commonName: 'localhost', hosts: ['localhost']});
	const url = await listenTls(t, {certificate: `${certificate}\n${authority.certificate}`, key}, echo);
	const trustOf = () => trusting([inspector.certificate], [above]);
	await failsWith(t, 'ERR_CERTIFICATE_PIN', post(direct(t, {trustOf}), url));
});

test('the pin of a certificate is what openssl and curl make of it', t => {
	// openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64
	const certificate = `-----BEGIN CERTIFICATE-----
MIIBgzCCASmgAwIBAgIUZ/NMssM3lO97oGE+jvC+enADDgQwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLcGluLmV4YW1wbGUwIBcNMjYxMTI0MTgzNDI5WhgPMjEyNjEw
MzExODM0MjlaMBYxFDASBgNVBAMMC3Bpbi5leGFtcGxlMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEgeFa3INQE44/wR6bO5+TwdZ7mcS7SPQwrkKJbX+tvZPYJb6H
CeNOH6t06l6GVEua/N73yfWxyTGBJFo71K5zlqNTMFEwHQYDVR0OBBYEFKQoez00
OM2jhhHdwlCEIz9JgFyvMB8GA1UdIwQYMBaAFKQoez00OM2jhhHdwlCEIz9JgFyv
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgNgknJ3P5GaWEYEQv
9XrYGcbHgBgHBSJ5Tuk/rbJET60CIQDB0TNMDrJ++UTtkyvRKgBAsftOP79i7MxM
bIqMJCgswg==
-----END CERTIFICATE-----`;
	t.is(pinIn(certificate), '8OgoyOClt51u93YpAQ7HFtLTdKDIOauKPf92c4Qn0vo=');
});

for (const spelling of [leaf, `sha256//${leaf}`, `sha256/${leaf}`, `pin-sha256="${leaf}"`, ` ${leaf}\n`]) {
	test(`${JSON.stringify(spelling.replace(leaf, '…'))} is a pin`, t => {
		t.is(publicKeyPin.parse(spelling), leaf);
	});
}

for (const [what, pins, path, message] of [
	['a digest in hexadecimal', ['ab'.repeat(32)], ['pins', 0], /write its SHA-256 in base64, 44 characters/],
	['a fingerprint', [leaf, 'AB:'.repeat(31)], ['pins', 1], /SHA-256 in base64/],
	['SHA-1', ['sha1//2jmj7l5rSw0yVb/vlWAYkK/YBwk='], ['pins', 0], /SHA-256/],
	['base64 with stray bits at its end', [`${'A'.repeat(42)}B=`], ['pins', 0], /SHA-256/],
	['an unfinished quotation', [`pin-sha256="${leaf}`], ['pins', 0], /SHA-256/],
	['an empty list', [], ['pins'], /names no pin: leave it out/],
] as const) {
	test(`${what} is no list of pins, and the fault says where and how`, t => {
		const {error} = callHomeConnectSchema.safeParse({customer_number: '1234567', pins});
		t.deepEqual(
			error?.issues.map(issue => issue.path),
			[[...path]],
		);
		t.regex(error?.issues[0]?.message ?? '', message);
	});
}

test('pins of the configuration come out without their prefix; without any, none is asked for', t => {
	const parse = (settings: object) => callHomeConnectSchema.parse({customer_number: '1234567', ...settings}).pins;
	t.deepEqual(parse({pins: [`sha256//${leaf}`, above]}), [leaf, above]);
	t.deepEqual(parse({}), []);
});

async function presentedBy(t: ExecutionContext, ca: string, issued: Issued): Promise<PeerCertificate> {
	const {port} = await listenTls(t, issued, echo);
	const socket = connect({port: Number(port), host: '127.0.0.1', servername: 'a.ibm.com', ca});
	t.teardown(() => socket.destroy());
	await once(socket, 'secureConnect');
	return socket.getPeerCertificate(true);
}

test('a public authority that an older one vouches for as well is no inspection', async t => {
	const root = await makeAuthority('Old root');
	const presented = await presentedBy(t, root.certificate, await issue(root, {commonName: 'a.ibm.com', hosts: ['a.ibm.com']}));
	const peer = {host: 'a.ibm.com', port: 443, role: 'destination'} as const;
	const rootPin = pinIn(root.certificate);
	t.is(
		inspectedBy(presented, peer, certificate => pinOf(certificate) === rootPin),
		undefined,
	);
	t.is(inspectedBy(presented, peer), '"CN=Old root"', 'which nobody else knows');
	t.is(inspectedBy(presented, {...peer, role: 'proxy'}), undefined);
	t.is(inspectedBy(presented, {...peer, host: 'ibm.com.example'}), undefined, 'not known whose it should be');
});
