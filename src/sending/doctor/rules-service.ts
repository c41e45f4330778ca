import {authority} from '../address.ts';
import type {Place, Rule, Sign} from './sign.ts';

const destination = (place: Place) => authority(place);
const clockOf = ({now}: Place) => new Date(now).toISOString().slice(0, 16).replace('T', ' ');

/** Who has to be asked about what lies on the way. */
const team = ({isProxied}: Place) => (isProxied ? 'proxy team' : 'firewall team');
const exempt = (place: Place) => `Ask the ${team(place)} for: no TLS inspection of ${place.host} port ${place.port}.`;
const isCut = ({system}: Sign) => system === 'ECONNRESET' || system === 'EPIPE';
const isPlain = ({system}: Sign) => /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|RECORD_LAYER_FAILURE/.test(system);

/** `CN=…` as the message quotes it. */
const presenter = ({message}: Sign) => /presented by ("[^"]{1,210}")/.exec(message)?.[1] ?? 'a foreign authority';

const inspected = (place: Place, sign: Sign) => ({
	cause: `A TLS inspection on the way to ${place.host} opens what is sent and shows a certificate of its own.`,
	advice: `${exempt(place)} IBM does not support an inspection, and call home has keys in what it sends. Do not add its CA to ca_file.`,
	short: `presented by ${presenter(sign)}: exempt the host from TLS inspection`,
});

/** What is said of a stage that passed with a warning. */
export const inspectedAndTrusted = (place: Place) => ({
	cause: `This machine was told to trust a TLS inspection, and that stands between it and ${place.host}.`,
	advice: `${exempt(place)} It works as it is, for as long as the inspection leaves requests and replies as they are.`,
	short: 'read by a TLS inspection that is trusted here: exempt the host from it',
});

export const serviceRules: readonly Rule[] = [
	{stage: 'tls', codes: ['ERR_TLS_INSPECTED'], say: inspected},
	{
		stage: 'tls',
		codes: ['ERR_CERTIFICATE_PIN'],
		say: place => ({
			cause: `${place.host} showed a certificate that is valid, with a key that is not among the pinned ones: a new key of the service, or an inspection that this machine trusts.`,
			advice: `Ask IBM, or look from another network, which key is right. Then correct pins, or ask the ${team(place)} to exempt the host.`,
			short: 'another key than the pinned ones: correct pins, or have the host exempted',
		}),
	},
	{
		stage: 'tls',
		codes: ['ERR_CERTIFICATE'],
		when: ({system}) => system === 'CERT_NOT_YET_VALID',
		say: place => ({
			cause: `The clock of this machine is behind (it says ${clockOf(place)} UTC), or the certificate is from the future.`,
			advice: 'Set the clock, and keep it right with chrony or systemd-timesyncd (timedatectl shows it).',
			short: 'certificate not valid yet: set the clock of this machine',
		}),
	},
	{
		stage: 'tls',
		codes: ['ERR_CERTIFICATE'],
		when: ({system}) => system === 'CERT_HAS_EXPIRED',
		say: place => ({
			cause: `The clock of this machine is ahead (it says ${clockOf(place)} UTC), or the certificate has really run out.`,
			advice: `Set the clock if it is wrong. If it is right, whoever runs ${place.host}${place.isProxied ? ' or the proxy' : ''} has to renew the certificate; nothing is sent until then.`,
			short: 'certificate expired: check the clock of this machine',
		}),
	},
	{
		stage: 'tls',
		codes: ['ERR_CERTIFICATE'],
		when: ({system}) => system === 'ERR_TLS_CERT_ALTNAME_INVALID',
		say: place => ({
			cause: `Another server than ${place.host} answered: DNS or a gateway leads elsewhere, such as to a login page or a block page.`,
			advice: `Ask the ${team(place)} what stands at the other end of ${destination(place)}, and to let it through untouched.`,
			short: 'the certificate is for another host: who answers there',
		}),
	},
	{
		stage: 'tls',
		codes: ['ERR_CERTIFICATE'],
		say: place => ({
			cause: `An authority that this machine does not know vouches for ${place.host}: its own one, or that of a TLS inspection.`,
			advice: `If the server has an authority of its own, set ca_file. If not: ${exempt(place)}`,
			short: 'certificate from an unknown authority: set ca_file, or have the host exempted from TLS inspection',
		}),
	},
	{
		stage: 'tls',
		codes: ['ERR_TLS'],
		when: isCut,
		say: place => ({
			cause: `The connection to ${destination(place)} stands, and is cut as soon as TLS begins: a firewall that looks into it (DPI) does not let this name pass.`,
			advice: `Ask the ${team(place)} for: allow the application and the host name ${place.host} (SNI) on port ${place.port}, not its address alone.`,
			short: 'cut as TLS began, as a firewall does that looks at host names',
		}),
	},
	{
		stage: 'tls',
		codes: ['ERR_TLS', 'ERR_PROXY_REFUSED'],
		when: (sign, {isProxied}) => isPlain(sign) || (sign.code === 'ERR_PROXY_REFUSED' && isProxied),
		say: place => ({
			cause: `What answers for ${destination(place)} does not speak TLS: a login or block page in plain HTTP, or another service.`,
			advice: `Ask the ${team(place)} for a way to ${destination(place)} without a page in between. If the port is configured, check it.`,
			short: 'what answers does not speak TLS: a page of the network in between',
		}),
	},
	{
		stage: 'tls',
		codes: ['ERR_TLS', 'ERR_PROXY_REFUSED', 'ERR_CONNECTION_RESET', 'ERR_CONNECTION_REFUSED'],
		say: place => ({
			cause: `No version or cipher of TLS is known to both sides: something old, or an inspection that takes TLS apart.`,
			advice: `${exempt(place)} This machine speaks TLS 1.2 and 1.3 and nothing older.`,
			short: 'no common TLS: something old, or an inspection, in between',
		}),
	},
	{
		stage: 'tls',
		codes: ['ERR_CONNECTION_TIMEOUT'],
		say: place => ({
			cause: `The first bytes pass and then nothing more: a firewall that swallows what it does not know, or a path that loses large packets (MTU).`,
			advice: `Ask the ${team(place)} for: allow the host name ${place.host} (SNI) on port ${place.port}. On a VPN try a smaller MTU.`,
			short: 'silence after TLS began: a firewall that looks into it, or a wrong MTU',
		}),
	},
	{
		stage: 'http',
		codes: ['ERR_REPLY_TIMEOUT', 'ERR_CONNECTION_TIMEOUT'],
		say: place => ({
			cause: `${place.host} took the question and gave no answer in time: it is overloaded, or an inspection holds the answer back.`,
			advice: `Test again in some minutes. If it stays: ${exempt(place)}`,
			short: 'no answer to the question',
		}),
	},
	{
		stage: 'http',
		codes: ['ERR_CONNECTION_RESET', 'ERR_CONNECTION_REFUSED'],
		say: place => ({
			cause: `The connection was closed once the question was seen: an inspection that refuses the content does so, or a server that goes down.`,
			advice: `Test again in some minutes. If it stays, ask the ${team(place)} what its log says of POST to ${place.host}.`,
			short: 'closed without an answer to the question',
		}),
	},
	{
		stage: 'http',
		codes: ['ERR_REPLY_TRUNCATED', 'ERR_TOO_LARGE', 'ERR_TLS'],
		say: place => ({
			cause: `What came back from ${destination(place)} is not a whole HTTP reply of a sensible size: something on the way mutilates it, or another service answers.`,
			advice: `${exempt(place)} Check the port, if it is configured.`,
			short: 'the answer is no whole HTTP reply',
		}),
	},
	{
		stage: 'application',
		codes: ['ERR_NOT_IBM'],
		say: (place, {message}) => ({
			cause: /titled|redirect|407/.test(message)
				? `A page of the network stands in for ${place.host}: a captive portal, a login of the proxy, or a block page.`
				: `Something stands in for ${place.host} that is not IBM's service: a gateway, or a cache.`,
			advice: `Ask the ${team(place)} for: let ${destination(place)} through without login, page or cache. Nothing of the operator's was sent to it.`,
			short: "not IBM's service answers: a portal or a page of the network",
		}),
	},
	{
		stage: 'application',
		codes: ['ERR_SUBMISSION_DEFERRED', 'ERR_REPLY_TRUNCATED'],
		say: place => ({
			cause: `The way is good up to the service behind ${place.host}, and that is not ready at this moment.`,
			advice:
				'Nothing is to be changed here: what waits is sent by itself once it answers. If it lasts for hours, ask IBM support.',
			short: 'reached, and the service is not ready now',
		}),
	},
	{
		stage: 'application',
		codes: ['ERR_SUBMISSION_REJECTED'],
		say: place => ({
			cause: `The way is good up to the service behind ${place.host}, and that refuses this client.`,
			advice: 'Check endpoint and its path under exporter.call_home_connect, and ask IBM support whether this client is known.',
			short: 'reached, and the service refuses',
		}),
	},
];
