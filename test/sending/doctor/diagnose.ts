import test from 'ava';
import {type Stage, stages} from '../../../src/attempt.ts';
import {BridgeError, type BridgeErrorCode, errorCodes} from '../../../src/errors.ts';
import {diagnose} from '../../../src/sending/doctor/diagnose.ts';
import type {Place} from '../../../src/sending/doctor/sign.ts';
import {systemError} from '../../helpers/scripted-walks.ts';

const placeOf = (rest: Partial<Place> = {}): Place => ({
	host: 'esupport.example',
	port: 443,
	addresses: ['192.0.2.7'],
	connection: 'direct',
	kind: 'direct',
	peer: 'esupport.example:443',
	isDestination: true,
	isProxied: false,
	now: Date.UTC(2026, 10, 24, 12, 30),
	...rest,
});
const proxied = (rest: Partial<Place> = {}) =>
	placeOf({connection: 'proxy p.example:3128', kind: 'proxy', isProxied: true, ...rest});
const atProxy = (rest: Partial<Place> = {}) => proxied({peer: 'p.example:3128', isDestination: false, ...rest});

/** What the walk can say at each stage. */
const possible: Record<Stage, readonly BridgeErrorCode[]> = {
	name: ['ERR_NAME_NOT_FOUND', 'ERR_NAME_MISLEADING'],
	connection: ['ERR_NOT_CONFIGURED', 'ERR_PAC', 'ERR_CONNECTION_REFUSED', 'ERR_CONNECTION_TIMEOUT'],
	proxy_tls: ['ERR_CERTIFICATE', 'ERR_TLS', 'ERR_CONNECTION_TIMEOUT'],
	proxy: ['ERR_PROXY_REFUSED', 'ERR_PROXY_BUSY', 'ERR_CONNECTION_TIMEOUT', 'ERR_TLS'],
	proxy_authentication: ['ERR_PROXY_AUTHENTICATION'],
	tls: [
		'ERR_CERTIFICATE',
		'ERR_CERTIFICATE_PIN',
		'ERR_TLS_INSPECTED',
		'ERR_TLS',
		'ERR_PROXY_REFUSED',
		'ERR_CONNECTION_TIMEOUT',
		'ERR_CONNECTION_REFUSED',
	],
	http: ['ERR_REPLY_TIMEOUT', 'ERR_REPLY_TRUNCATED', 'ERR_CONNECTION_RESET', 'ERR_TOO_LARGE', 'ERR_CONNECTION_REFUSED'],
	application: ['ERR_NOT_IBM', 'ERR_SUBMISSION_DEFERRED', 'ERR_SUBMISSION_REJECTED', 'ERR_REPLY_TRUNCATED'],
};

const systemCodes = [
	'ECONNREFUSED',
	'EHOSTUNREACH',
	'ENETUNREACH',
	'EPERM',
	'ECONNRESET',
	'EAI_AGAIN',
	'ENOTFOUND',
	'EMFILE',
	'',
];
const causeOf = (code: string) => (code === '' ? {} : {cause: systemError(code)});
const isUnknown = ({cause}: {cause: string}) => cause.startsWith('This is no failure that the doctor knows');

for (const stage of stages) {
	test(`every failure that can occur at ${stage} has a cause and an advice of its own`, t => {
		for (const code of possible[stage]) {
			for (const system of systemCodes) {
				for (const place of [placeOf(), proxied(), atProxy()]) {
					const finding = diagnose(stage, new BridgeError(code, 'something', causeOf(system)), place);
					t.false(isUnknown(finding), `${code} ${system}`);
					for (const text of [finding.cause, finding.advice]) t.regex(text, /^\S.{20,}[.]$/, text);
					t.regex(finding.short, /^[^\n]{10,120}$/);
				}
			}
		}
	});
}

test('whatever the code, at whatever stage, something is said, on one line', t => {
	for (const stage of stages) {
		for (const code of errorCodes) {
			const {cause, advice, short} = diagnose(stage, new BridgeError(code, 'x'), placeOf());
			for (const text of [cause, advice, short]) t.regex(text, /^[^\p{Cc}]+$/u);
		}
	}
});

type Case = [symptom: string, stage: Stage, error: BridgeError, place: Place, cause: RegExp, advice: RegExp];
const error = (code: BridgeErrorCode, message = 'x', options: ErrorOptions & {hop?: 'proxy'} = {}) =>
	new BridgeError(code, message, options);
const below = (code: string) => ({cause: new Error('outer', {cause: systemError(code)})});

const cases: Case[] = [
	[
		'a name that does not exist',
		'name',
		error('ERR_NAME_NOT_FOUND', 'x', below('ENOTFOUND')),
		placeOf(),
		/DNS works, and does not know/,
		/without_dns/,
	],
	[
		'a DNS server that is gone',
		'name',
		error('ERR_NAME_NOT_FOUND', 'x', below('EAI_AGAIN')),
		placeOf(),
		/DNS itself does not work/,
		/resolv\.conf/,
	],
	['a lookup without an end', 'name', error('ERR_NAME_NOT_FOUND'), placeOf(), /DNS itself does not work/, /port 53/],
	[
		'a proxy whose name is wrong',
		'name',
		error('ERR_NAME_NOT_FOUND', 'x', below('ENOTFOUND')),
		atProxy({peer: 'p.example'}),
		/the proxy's name p\.example/,
		/url of the proxy/,
	],
	['a sinkhole', 'name', error('ERR_NAME_MISLEADING'), placeOf(), /sinkhole/, /off the filter/],
	[
		'a firewall that drops',
		'connection',
		error('ERR_CONNECTION_TIMEOUT'),
		placeOf(),
		/drops/,
		/allow TCP from this machine to esupport\.example port 443 \(HTTPS\), today at 192\.0\.2\.7/,
	],
	[
		'a firewall that rejects',
		'connection',
		error('ERR_CONNECTION_REFUSED', 'x', below('ECONNREFUSED')),
		placeOf(),
		/rejects/,
		/allow TCP/,
	],
	['no route', 'connection', error('ERR_CONNECTION_REFUSED', 'x', below('EHOSTUNREACH')), placeOf(), /no route/, /gateway/],
	[
		'a packet filter here',
		'connection',
		error('ERR_CONNECTION_REFUSED', 'x', below('EPERM')),
		placeOf(),
		/itself forbids/,
		/nft list ruleset/,
	],
	[
		'a proxy that does not run',
		'connection',
		error('ERR_CONNECTION_REFUSED', 'x', below('ECONNREFUSED')),
		atProxy(),
		/No program listens at p\.example:3128/,
		/proxy team/,
	],
	[
		'a proxy that is not reached',
		'connection',
		error('ERR_CONNECTION_TIMEOUT'),
		atProxy(),
		/p\.example:3128/,
		/allow TCP from this machine to p\.example:3128/,
	],
	['a PAC script that throws', 'connection', error('ERR_PAC'), proxied(), /PAC script/, /browser/],
	[
		'https:// for a plain proxy',
		'proxy_tls',
		error('ERR_TLS', 'x', below('ERR_SSL_WRONG_VERSION_NUMBER')),
		atProxy(),
		/plain HTTP/,
		/http:\/\/ in place of https/,
	],
	[
		'a proxy with its own CA',
		'proxy_tls',
		error('ERR_CERTIFICATE', 'x', below('SELF_SIGNED_CERT_IN_CHAIN')),
		atProxy(),
		/certificate that p\.example:3128/,
		/ca_file/,
	],
	[
		'a proxy with rules',
		'proxy',
		error('ERR_PROXY_REFUSED', 'refused a tunnel with status 403.'),
		atProxy(),
		/rules do not let this machine go to esupport\.example:443/,
		/allow CONNECT to esupport\.example:443/,
	],
	[
		'a proxy without DNS',
		'proxy',
		error('ERR_PROXY_REFUSED', 'cannot reach it (status 503, ERR_DNS_FAIL 0).'),
		atProxy(),
		/its own DNS/,
		/resolve esupport\.example on the proxy/,
	],
	[
		'a proxy behind a firewall',
		'proxy',
		error('ERR_PROXY_REFUSED', 'cannot reach it (status 502).'),
		atProxy(),
		/firewall behind the proxy/,
		/TCP from the proxy to esupport\.example port 443/,
	],
	[
		'a busy proxy',
		'proxy',
		error('ERR_PROXY_BUSY', 'status 503', {hop: 'proxy'}),
		atProxy(),
		/limit of connections/,
		/higher limit/,
	],
	[
		'something else than a proxy',
		'proxy',
		error('ERR_PROXY_REFUSED', 'did not answer in HTTP', {hop: 'proxy'}),
		atProxy(),
		/does not act as the proxy/,
		/SOCKS5/,
	],
	[
		'a proxy that says nothing',
		'proxy',
		error('ERR_CONNECTION_TIMEOUT', 'x', {hop: 'proxy'}),
		atProxy(),
		/said nothing/,
		/CONNECT esupport\.example:443/,
	],
	[
		'a proxy that wants a user',
		'proxy_authentication',
		error('ERR_PROXY_AUTHENTICATION', 'It wants a user name and a password'),
		atProxy(),
		/serves only who logs in/,
		/technical user/,
	],
	[
		'a proxy that rejects the user',
		'proxy_authentication',
		error('ERR_PROXY_AUTHENTICATION', 'It does not take the configured'),
		atProxy(),
		/password is wrong or has expired/,
		/look the user up/,
	],
	[
		'a TLS inspection',
		'tls',
		error('ERR_TLS_INSPECTED', 'presented by "CN=Box", not'),
		placeOf(),
		/TLS inspection/,
		/firewall team for: no TLS inspection of esupport\.example/,
	],
	[
		'a TLS inspection of the proxy',
		'tls',
		error('ERR_TLS_INSPECTED'),
		proxied(),
		/TLS inspection/,
		/proxy team for: no TLS inspection/,
	],
	[
		'an expired certificate',
		'tls',
		error('ERR_CERTIFICATE', 'x', below('CERT_HAS_EXPIRED')),
		placeOf(),
		/clock .* ahead \(it says 2026-11-24 12:30 UTC\)/,
		/Set the clock/,
	],
	[
		'a clock that is behind',
		'tls',
		error('ERR_CERTIFICATE', 'x', below('CERT_NOT_YET_VALID')),
		placeOf(),
		/clock .* behind/,
		/chrony/,
	],
	[
		'a wrong host',
		'tls',
		error('ERR_CERTIFICATE', 'x', below('ERR_TLS_CERT_ALTNAME_INVALID')),
		placeOf(),
		/Another server/,
		/other end/,
	],
	[
		'an unknown authority',
		'tls',
		error('ERR_CERTIFICATE', 'x', below('SELF_SIGNED_CERT_IN_CHAIN')),
		placeOf(),
		/authority that this machine does not know/,
		/ca_file/,
	],
	['a pin', 'tls', error('ERR_CERTIFICATE_PIN'), placeOf(), /pinned/, /correct pins/],
	['a firewall that cuts TLS', 'tls', error('ERR_TLS', 'x', below('ECONNRESET')), placeOf(), /DPI/, /SNI/],
	[
		'a page in place of TLS',
		'tls',
		error('ERR_TLS', 'x', below('ERR_SSL_WRONG_VERSION_NUMBER')),
		placeOf(),
		/does not speak TLS/,
		/without a page/,
	],
	['a proxy that answers CONNECT with a page', 'tls', error('ERR_PROXY_REFUSED'), proxied(), /does not speak TLS/, /proxy team/],
	['old TLS', 'tls', error('ERR_TLS', 'x', below('ERR_SSL_UNSUPPORTED_PROTOCOL')), placeOf(), /No version or cipher/, /TLS 1\.2/],
	['silence in TLS', 'tls', error('ERR_CONNECTION_TIMEOUT'), placeOf(), /MTU/, /SNI/],
	['no answer to the question', 'http', error('ERR_REPLY_TIMEOUT'), placeOf(), /gave no answer in time/, /again in some minutes/],
	[
		'a captive portal',
		'application',
		error('ERR_NOT_IBM', 'a page titled "Guest network" came'),
		placeOf(),
		/captive portal/,
		/without login/,
	],
	['a service that is not ready', 'application', error('ERR_SUBMISSION_DEFERRED'), placeOf(), /not ready/, /sent by itself/],
];

for (const [symptom, stage, failure, place, cause, advice] of cases) {
	test(`the cause of ${symptom} is named, and what to do`, t => {
		const finding = diagnose(stage, failure, place);
		t.regex(finding.cause, cause);
		t.regex(finding.advice, advice);
	});
}

test('who presented the certificate stands in the line of the path', t => {
	const message = 'The certificate of e:443 is presented by "CN=Example Inspection CA", not by IBM’s CA: exempt this host.';
	const {short} = diagnose('tls', error('ERR_TLS_INSPECTED', message), placeOf());
	t.is(short, 'presented by "CN=Example Inspection CA": exempt the host from TLS inspection');
});
