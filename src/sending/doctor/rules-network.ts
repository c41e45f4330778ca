import {authority} from '../address.ts';
import type {Place, Rule, Sign} from './sign.ts';

/** What stands for no answer of a DNS server, and not for a name that does not exist. Nothing at all: its time was up. */
const dnsIsSilent = new Set(['', 'EAI_AGAIN', 'ETIMEOUT', 'ECONNREFUSED', 'ESERVFAIL', 'EREFUSED', 'EBADRESP', 'ECANCELLED']);
const noRoute = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EHOSTDOWN', 'EAFNOSUPPORT']);
const forbidden = new Set(['EACCES', 'EPERM']);

const destination = (place: Place) => authority(place);
const ownName = (place: Place) => (place.isDestination ? place.host : `the proxy's name ${place.peer}`);

/** The rule that a firewall needs. */
const allowTcp = ({host, port, addresses}: Place) =>
	`Ask for: allow TCP from this machine to ${host} port ${port} (HTTPS)${addresses.length > 0 ? `, today at ${addresses.join(', ')}` : ''}.`;
const otherWay = 'Or add a proxy under connections, if the site has one.';

/** Without a name: who has an address, a proxy, or an address list, needs no DNS. */
const withoutDns = ({isDestination, addresses}: Place) => {
	if (!isDestination) return "Or write the proxy's address into its url.";
	const list = addresses.length > 0 ? ', or destinations.without_dns: true, which uses the listed addresses' : '';
	return `A proxy under connections resolves the name itself: that is another way${list}.`;
};

const firewallDrops = (place: Place) =>
	place.isDestination
		? {
				cause: `Nothing came back from ${destination(place)}: a firewall drops the packets without a word.`,
				advice: `${allowTcp(place)} ${otherWay}`,
				short: `dropped without a word, as a firewall does: ask for TCP to port ${place.port}`,
			}
		: {
				cause: `Nothing came back from ${place.peer}: the proxy's machine is down, or a firewall before it drops the packets.`,
				advice: `Ask the proxy team whether it is up, and the firewall team for: allow TCP from this machine to ${place.peer}.`,
				short: 'the proxy does not answer: is it up, and does a firewall let this machine reach it',
			};

const rejected = (place: Place) =>
	place.isDestination
		? {
				cause: `Something answers in place of ${place.host} that port ${place.port} is closed: a firewall that rejects, or an address that is not the server's any more.`,
				advice: `${allowTcp(place)} ${otherWay}`,
				short: `rejected, as a firewall does: ask for TCP to port ${place.port}`,
			}
		: {
				cause: `No program listens at ${place.peer}: the proxy is not running, or has another port.`,
				advice: `Ask the proxy team for its host and port, and correct the url under connections.`,
				short: 'no proxy listens there: start it, or correct its port',
			};

const unroutable = (place: Place) => ({
	cause: `This machine, or a router on the way, knows no route to ${place.peer}.`,
	advice: `Look at the default gateway and at the interface (ip route get ADDRESS)${place.isDestination ? '; where only a proxy leads out, take direct out of connections' : ''}. With IPv6 in use, check that it is routed.`,
	short: 'no route: check the gateway of this machine',
});

const barredHere = (place: Place) => ({
	cause: `This machine itself forbids the connection to ${place.peer}: its own packet filter, or a security policy.`,
	advice: `Look at the outgoing rules here (nft list ruleset, SELinux, the endpoint protection) and permit the bridge TCP to port ${place.isDestination ? place.port : 'of the proxy'}.`,
	short: "forbidden by this machine's own firewall",
});

const brokenSocket = (place: Place, {system}: Sign) => ({
	cause: `No TCP connection to ${place.peer} came about (${system || 'no further sign'}).`,
	advice: place.isDestination
		? `${allowTcp(place)} ${otherWay}`
		: 'Ask the proxy team whether its log shows this machine, and what became of it.',
	short: 'no TCP connection came about',
});

export const networkRules: readonly Rule[] = [
	{
		stage: 'name',
		codes: ['ERR_NAME_NOT_FOUND'],
		when: ({system}) => dnsIsSilent.has(system),
		say: place => ({
			cause: `DNS itself does not work here: no server that could know ${ownName(place)} gave an answer.`,
			advice: `Look at the name servers of this machine (/etc/resolv.conf) and whether UDP and TCP port 53 to them is open, or set destinations.dns_servers. ${withoutDns(place)}`,
			short: 'no DNS server answers: check the name servers of this machine',
		}),
	},
	{
		stage: 'name',
		codes: ['ERR_NAME_NOT_FOUND'],
		say: place => ({
			cause: `DNS works, and does not know ${ownName(place)}: an internal DNS that does not resolve names of the Internet, or a wrong name.`,
			advice: place.isDestination
				? `Ask the DNS team for: resolve ${place.host}. ${withoutDns(place)}`
				: `Correct the host in the url of the proxy. ${withoutDns(place)}`,
			short: 'DNS does not know the name',
		}),
	},
	{
		stage: 'name',
		codes: ['ERR_NAME_MISLEADING'],
		say: place => ({
			cause: `A DNS filter (sinkhole), or the hosts file of this machine, leads ${ownName(place)} astray.`,
			advice: `Ask the DNS team for: take ${place.host} off the filter. Look for the name in the hosts file, too. If a tunnel on this machine is meant, set destinations.allow_loopback: true.`,
			short: 'DNS leads astray: have the name taken off the DNS filter',
		}),
	},
	{
		stage: 'connection',
		codes: ['ERR_NOT_CONFIGURED'],
		say: ({connection}) => ({
			cause: `The configuration of "${connection}" gives no way out for this destination on this machine at present.`,
			advice: 'Compare it with this machine: ip address shows its interfaces and addresses, env its proxy variables.',
			short: 'not configured for this destination',
		}),
	},
	{
		stage: 'connection',
		codes: ['ERR_PAC'],
		say: ({connection}) => ({
			cause: `What "${connection}" leads over is decided by a PAC script, and that gave no answer.`,
			advice:
				'Ask whoever keeps the PAC file for its present address and try it out in a browser here, or name the proxy itself.',
			short: 'the PAC script gives no answer',
		}),
	},
	{stage: 'connection', codes: ['ERR_CONNECTION_TIMEOUT'], say: firewallDrops},
	{stage: 'connection', codes: ['ERR_CONNECTION_REFUSED'], when: ({system}) => noRoute.has(system), say: unroutable},
	{stage: 'connection', codes: ['ERR_CONNECTION_REFUSED'], when: ({system}) => forbidden.has(system), say: barredHere},
	{stage: 'connection', codes: ['ERR_CONNECTION_REFUSED'], when: ({system}) => system === 'ECONNREFUSED', say: rejected},
	{stage: 'connection', codes: ['ERR_CONNECTION_REFUSED', 'ERR_CONNECTION_RESET', 'ERR_TLS'], say: brokenSocket},
];
