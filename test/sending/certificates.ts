import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import type {StageResult} from '../../src/attempt.ts';
import {BridgeError} from '../../src/errors.ts';
import {trusting} from '../../src/sending/authorities.ts';
import {certificateError} from '../../src/sending/certificates.ts';
import {type Issued, issue, issueSelfSigned, makeAuthority, type Wish} from '../helpers/certificates.ts';
import {startConnectProxy} from '../helpers/connect-proxy.ts';
import {listenTls} from '../helpers/tls-server.ts';
import {direct, failsWith, post, through} from '../helpers/ways-out.ts';

const host = 'esupport.ibm.com';
const inspector = await makeAuthority('Corporate inspection');
const shown = (wish: Partial<Wish> = {}) => issue(inspector, {commonName: host, hosts: [host], ...wish});
/** As most inspections do: their own authority comes along. */
const withAuthority = async (issued: Promise<Issued>) => {
	const {certificate, key} = await issued;
	return {certificate: `${certificate}\n${inspector.certificate}`, key};
};

/** A server that stands where IBM's should. It must never be asked anything. */
async function standIn(t: ExecutionContext, issued: Issued): Promise<URL> {
	const url = await listenTls(t, issued, () => t.fail('the request has left'));
	url.hostname = host;
	return url;
}

const atLoopback = {lookup: async () => ['127.0.0.1']};

const inspected =
	/^The certificate of esupport\.ibm\.com:\d+ is presented by "CN=Corporate inspection", not by IBM's CA: exempt this host from TLS inspection \((?:SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE)\)\.$/;

const cases: [what: string, issued: () => Promise<Issued>, code: 'ERR_TLS_INSPECTED' | 'ERR_CERTIFICATE', text: RegExp][] = [
	['of an inspection', shown, 'ERR_TLS_INSPECTED', inspected],
	['of an inspection, with its authority', () => withAuthority(shown()), 'ERR_TLS_INSPECTED', inspected],
	[
		'of an inspection, for all of IBM',
		() => shown({commonName: '*.ibm.com', hosts: ['*.ibm.com']}),
		'ERR_TLS_INSPECTED',
		inspected,
	],
	[
		'of a portal',
		() => shown({commonName: 'portal.example', hosts: ['portal.example']}),
		'ERR_CERTIFICATE',
		/^The certificate of esupport\.ibm\.com:\d+ comes from an authority that is not trusted here \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)\. It is for "CN=portal\.example", from "CN=Corporate inspection"\. A TLS inspection on the way may .*: exempt the host from it, or, .* set ca_file of the exporter\.$/,
	],
	[
		'of an inspection that has expired',
		() => shown({notBefore: new Date('2026-01-01'), notAfter: new Date('2026-02-03')}),
		'ERR_CERTIFICATE',
		/has expired: it, or one above it, was valid until 2026-02-03T00:00:00\.000Z.*from "CN=Corporate inspection"\. Check this machine's clock/,
	],
	[
		'of an inspection that is not valid yet',
		() => shown({notBefore: new Date('2099-01-01'), notAfter: new Date('2099-02-03')}),
		'ERR_CERTIFICATE',
		/is not valid yet: it, or one above it, is valid from 2099-01-01T00:00:00\.000Z.*from "CN=Corporate inspection"\. Check this machine's clock/,
	],
];

for (const [what, issued, code, text] of cases) {
	test(`instead of IBM's certificate that ${what}: nothing leaves, and the text says who and what to do`, async t => {
		const url = await standIn(t, await issued());
		const proxy = await startConnectProxy(t, {leadsTo: Number(url.port)});
		for (const way of [direct(t, {ca: [], ...atLoopback}), through(t, proxy.port, {ca: []})]) {
			const message = await failsWith(t, code, post(way, url));
			t.regex(message, text);
			isPlain(t, message);
		}
	});
}

test('a certificate that a server has signed itself is named as what it is', async t => {
	const self = await issueSelfSigned({commonName: 'localhost'});
	const url = await listenTls(t, self, () => t.fail('the request has left'));
	const message = await failsWith(t, 'ERR_CERTIFICATE', post(direct(t, {ca: []}), url));
	t.regex(message, /^The certificate of localhost:\d+ is signed by nobody but itself \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
	isPlain(t, message);
});

test('an inspection that this machine trusts is let through with a warning, once its certificate is in order', async t => {
	const url = await listenTls(t, await shown(), (_request, response) => response.end('ok'));
	url.hostname = host;
	const results: StageResult[] = [];
	const onStage = (_connection: string, _destination: unknown, result: StageResult) => void results.push(result);
	const way = direct(t, {...atLoopback, onStage, trustOf: () => trusting([inspector.certificate])});
	t.is((await post(way, url)).statusCode, 200);
	const {warning = '', detail} = results.find(({stage}) => stage === 'tls') ?? {};
	t.is(detail, 'TLSv1.3, certificate from "CN=Corporate inspection"');
	t.is(
		warning,
		'The certificate is presented by "CN=Corporate inspection", not by an authority that IBM uses: a TLS inspection on the way ' +
			`reads what is sent. IBM does not support that: exempt ${host} from it.`,
	);
	results.length = 0;
	url.hostname = 'ibm.com.example';
	await failsWith(t, 'ERR_CERTIFICATE', post(way, url));
	t.is(results.find(({stage}) => stage === 'tls')?.warning, undefined);
});

test('TLS 1.1 alone is refused with what is needed', async t => {
	const url = await listenTls(t, await shown(), () => t.fail('the request has left'), {
		minVersion: 'TLSv1',
		maxVersion: 'TLSv1.1',
		ciphers: 'DEFAULT@SECLEVEL=0',
	});
	url.hostname = host;
	const message = await failsWith(
		t,
		'ERR_TLS',
		post(direct(t, {trustOf: () => trusting([inspector.certificate]), ...atLoopback}), url),
	);
	t.regex(message, /agree on no TLS \(ERR_SSL_\w+\)\. TLS 1\.2 or later is needed\.$/);
	isPlain(t, message);
});

/** One line in plain words, not endless, that ends as a sentence does. */
function isPlain(t: ExecutionContext, message: string): void {
	t.regex(message, /^[A-Z][^\p{C}]{20,700}\.$/u);
	t.notRegex(message, /undefined|null|NaN|\[object|Error:/);
}

test('whatever stands in a certificate, the text stays one line of readable length', t => {
	const odd = fc.string({unit: 'binary', maxLength: 300});
	const value = fc.oneof(
		odd,
		fc.array(odd, {maxLength: 3}),
		fc.constantFrom('\u001b[31mred', 'a\nb', '\u202eevil', '\u2028', '\ud800'),
	);
	const named = fc.record({CN: value, O: value, OU: value}, {requiredKeys: []});
	const code = fc.constantFrom(
		'SELF_SIGNED_CERT_IN_CHAIN',
		'CERT_HAS_EXPIRED',
		'CERT_NOT_YET_VALID',
		'ERR_TLS_CERT_ALTNAME_INVALID',
	);
	const property = fc.property(named, named, code, odd, (subject, issuer, errorCode, date) => {
		const cause = Object.assign(new Error('no'), {code: errorCode});
		const presented = {subject, issuer, subjectaltname: `DNS:${host}`, valid_to: date, valid_from: date} as never;
		const error = certificateError({host, port: 443, role: 'destination'}, cause, presented, {own: []} as never);
		t.true(error instanceof BridgeError);
		isPlain(t, error.message);
	});
	t.notThrows(() => fc.assert(property, {numRuns: 300}));
});
