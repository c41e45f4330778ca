import {authority} from '../address.ts';
import type {Place, Rule, Sign} from './sign.ts';

const destination = (place: Place) => authority(place);
const proxyDns = /ERR_DNS_FAIL|cannot resolve its name/;
const beyondProxy = /cannot reach|was refused the connection|got no answer/;

/** TLS to the proxy was spoken to something that does not speak it. */
const isPlain = ({system}: Sign) => /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|RECORD_LAYER_FAILURE/.test(system);

export const proxyRules: readonly Rule[] = [
	{
		stage: 'proxy_tls',
		codes: ['ERR_TLS'],
		when: isPlain,
		say: ({peer}) => ({
			cause: `${peer} speaks plain HTTP: most proxies do, and open the TLS to the destination through a tunnel.`,
			advice: 'Write its url with http:// in place of https://. What is sent stays encrypted from here to the destination.',
			short: 'the proxy speaks no TLS: write http:// in its url',
		}),
	},
	{
		stage: 'proxy_tls',
		codes: ['ERR_CERTIFICATE', 'ERR_CERTIFICATE_PIN', 'ERR_TLS_INSPECTED'],
		say: ({peer}) => ({
			cause: `The certificate that ${peer} shows is not one that this machine accepts for the proxy.`,
			advice:
				"Ask the proxy team for the CA of the proxy's own certificate and set ca_file beside its url, with the name that the certificate is for.",
			short: "the proxy's own certificate is not accepted: set its ca_file",
		}),
	},
	{
		stage: 'proxy_tls',
		codes: ['ERR_TLS', 'ERR_CONNECTION_TIMEOUT', 'ERR_CONNECTION_RESET', 'ERR_CONNECTION_REFUSED'],
		say: ({peer}) => ({
			cause: `${peer} takes connections and ends no TLS handshake with this machine.`,
			advice:
				'Ask the proxy team whether this port is its TLS port, and whether it speaks TLS 1.2. For its plain port write http:// in the url.',
			short: 'no TLS with the proxy: is this its TLS port',
		}),
	},
	{
		stage: 'proxy',
		codes: ['ERR_PROXY_BUSY'],
		say: ({peer}) => ({
			cause: `${peer} works and has more to do than it takes on: its limit of connections, for this client or in all, is reached.`,
			advice:
				'Ask the proxy team for a higher limit for this machine. The next connection under connections has its turn meanwhile.',
			short: 'the proxy is busy: have its limit for this machine raised',
		}),
	},
	{
		stage: 'proxy',
		codes: ['ERR_PROXY_REFUSED'],
		when: ({message}) => proxyDns.test(message),
		say: place => ({
			cause: `${place.peer} lets this machine in, and its own DNS does not know ${place.host}.`,
			advice: `Ask the proxy team for: resolve ${place.host} on the proxy.`,
			short: "the proxy's DNS does not know the host",
		}),
	},
	{
		stage: 'proxy',
		codes: ['ERR_PROXY_REFUSED'],
		when: ({status, message}) => status === 502 || status === 504 || beyondProxy.test(message),
		say: place => ({
			cause: `${place.peer} lets this machine in, and a firewall behind the proxy keeps it from ${destination(place)}.`,
			advice: `Ask the proxy team for: allow TCP from the proxy to ${place.host} port ${place.port} (HTTPS).`,
			short: `behind the proxy the way ends: it needs TCP to ${destination(place)}`,
		}),
	},
	{
		stage: 'proxy',
		codes: ['ERR_PROXY_REFUSED'],
		when: ({atProxy}) => atProxy,
		say: ({peer, kind}) => ({
			cause: `What listens at ${peer} does not act as the proxy that is configured (${kind}): another service, another kind of proxy, or one that lets this machine not in.`,
			advice: 'Ask the proxy team for the kind (HTTP, HTTPS or SOCKS5), host and port, and whether this machine may use it.',
			short: 'what listens there is not such a proxy',
		}),
	},
	{
		stage: 'proxy',
		codes: ['ERR_PROXY_REFUSED'],
		say: place => ({
			cause: `${place.peer} works, and its rules do not let this machine go to ${destination(place)}.`,
			advice: `Ask the proxy team for: allow CONNECT to ${destination(place)} from this machine, without a login page and without TLS inspection.`,
			short: `forbidden by the proxy's rules: ask for CONNECT to ${destination(place)}`,
		}),
	},
	{
		stage: 'proxy',
		codes: ['ERR_CONNECTION_TIMEOUT'],
		say: place => ({
			cause: `${place.peer} took the connection and then said nothing: it is overloaded, hangs, or waits itself for ${destination(place)}.`,
			advice: `Ask the proxy team what its log says of CONNECT ${destination(place)}: a firewall behind the proxy that drops packets looks like this.`,
			short: 'the proxy took the request and did not answer',
		}),
	},
	{
		stage: 'proxy',
		codes: ['ERR_TLS', 'ERR_CONNECTION_RESET', 'ERR_CONNECTION_REFUSED', 'ERR_PROXY_AUTHENTICATION'],
		say: place => ({
			cause: `The connection to ${place.peer} was cut while the tunnel was asked for.`,
			advice: `Ask the proxy team whether this machine may use it, and what its log says of ${destination(place)}.`,
			short: 'the proxy cut the connection',
		}),
	},
	{
		stage: 'proxy_authentication',
		codes: ['ERR_PROXY_AUTHENTICATION'],
		when: ({message}) => /wants a user name/.test(message),
		say: ({peer}) => ({
			cause: `${peer} serves only who logs in, and none of its users is configured here.`,
			advice:
				'Ask the proxy team for a technical user with Basic authentication, and write it into the url of the proxy; its password may come from the environment.',
			short: 'the proxy wants a user name and a password',
		}),
	},
	{
		stage: 'proxy_authentication',
		codes: ['ERR_PROXY_AUTHENTICATION', 'ERR_PROXY_REFUSED'],
		say: ({peer}) => ({
			cause: `${peer} does not accept the user that is configured: the password is wrong or has expired, the user is locked, or only NTLM or Kerberos is on.`,
			advice:
				'Ask the proxy team to look the user up, and to permit it Basic authentication. Special characters of a password are written as %XX in the url.',
			short: 'the proxy rejects the user name or the password',
		}),
	},
];
