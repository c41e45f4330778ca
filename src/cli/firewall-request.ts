import type {Config} from '../config.ts';
import {isLoopback} from '../settings.ts';
import {describeWay} from './connection-ways.ts';
import {type Rule, type Target, thisMachine} from './firewall-rules.ts';
import {facts, printable, table} from './print.ts';

export type Request = {
	readonly config: Config;
	readonly targets: readonly Target[];
	readonly rules: readonly Rule[];
	/** How the firewall team knows the machine. */
	readonly machine: string;
};

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];

/** A request as it can be pasted into a ticket: what, why, the rules, what to leave alone, what is not needed, whom to ask. */
export function requestLines({config, targets, rules, machine}: Request): string[] {
	const needed = rules.filter(({to, port}) => !isLoopback({host: to, port}));
	return [
		`Subject: Firewall rules for call home to IBM from ${machine}`,
		'',
		'Reason',
		`${machine} runs Callhome Bridge. It reports hardware faults of IBM systems to IBM, which opens a service case for each.`,
		'Every connection to IBM begins on our side. Without these rules a hardware fault does not reach IBM.',
		'',
		'Rules',
		...ruleTable(needed, machine),
		...order(config),
		'',
		'Addresses',
		'Write the rules by name where the firewall can: IBM changes the addresses. Where it cannot, resolve the names regularly.',
		...addressLines(targets),
		'',
		'TLS inspection',
		'Exempt these hosts, by name and by address, from TLS inspection and from protocol detection:',
		`${unique(targets.filter(({protocol}) => protocol === 'https').map(({host}) => host)).join(', ')}.`,
		'IBM does not support inspection. The bridge refuses a certificate that an inspecting device puts in its place.',
		'',
		...proxyLines(needed),
		'Idle sessions',
		`A session may be silent while IBM works on an answer: do not end it before ${patienceSeconds(config)} seconds.`,
		'',
		'Not needed',
		...notNeeded(needed),
		'',
		'Contact',
		...contactLines(config),
	];
}

const ruleTable = (rules: readonly Rule[], machine: string): string[] =>
	table(
		['NO', 'DIRECTION', 'SOURCE', 'DESTINATION', 'PORT', 'PROTOCOL', 'FOR'],
		rules.map(({direction, from, to, port, protocol, reasons}, index) => [
			String(index + 1),
			direction,
			printable(from.replace(thisMachine, machine)),
			to.replace(thisMachine, machine),
			transport(port, protocol),
			protocol,
			reasons.join(', ').replaceAll('_', ' '),
		]),
	);

const transport = (port: number, protocol: string): string => (protocol.startsWith('DNS') ? `${port}/udp, tcp` : `${port}/tcp`);

function order({connections}: Config): string[] {
	if (connections.length < 2) return [];
	return [`The connections are tried in this order: ${connections.map(way => printable(describeWay(way).name)).join(', ')}.`];
}

function addressLines(targets: readonly Target[]): string[] {
	const published = targets.filter(({addresses}) => addresses.length > 0);
	const lines = published.map(({host, addresses, publishedIn}) => {
		const source = publishedIn === undefined ? 'from our configuration' : `as published in ${publishedIn}`;
		return `${host}: ${addresses.join(', ')} (${source})`;
	});
	const hosts = new Set(published.map(({host}) => host));
	const without = targets.filter(({host}) => !hosts.has(host)).map(({host}) => `${host}: no addresses are published`);
	return unique([...lines, ...without]);
}

function proxyLines(rules: readonly Rule[]): string[] {
	const beyond = rules.filter(({from}) => from.includes('proxy'));
	if (beyond.length === 0) return [];
	const plain = beyond.some(({protocol}) => protocol.startsWith('http ('));
	return [
		'On the proxy',
		'Allow the method CONNECT to each destination and port above whose source is a proxy, and leave the tunnel as it is.',
		...(plain ? ['Allow the method GET, and no other, to those of them with plain http.'] : []),
		'',
	];
}

/** A message may take so long from the name to the last byte, and a tunnel of the support proxy be silent so long. */
function patienceSeconds(config: Config): number {
	const timeout = config.exporter.call_home_connect?.timeout ?? 60_000;
	return Math.ceil(Math.max(timeout, config.support_proxy?.limits.idle_timeout ?? 0) / 1000);
}

function notNeeded(rules: readonly Rule[]): string[] {
	const inbound = rules.some(({direction}) => direction === 'inbound');
	const http = rules.some(({port, direction}) => port === 80 && direction === 'outbound');
	return [
		inbound
			? 'Nothing inbound from the Internet: the inbound rules above are for systems of our own network.'
			: 'Nothing inbound: IBM never opens a connection to us.',
		http
			? 'Port 80 only where it stands above: signed configuration is fetched over it when HTTPS fails; nothing is sent.'
			: 'Port 80.',
		'Anything else to these hosts.',
	];
}

function contactLines({contact}: Config): string[] {
	const lines = facts([
		['Organization', contact.organization],
		['Name', contact.name],
		['E-mail', contact.email],
		['Phone', contact.phone],
	]);
	return lines.length > 0 ? lines.map(printable) : ['None is configured: fill in who asks for this.'];
}
