import {hostname} from 'node:os';
import {destinationsIn} from '../agent/ways.ts';
import type {Config, Loaded} from '../config.ts';
import type {Destination} from '../destination.ts';
import {destinationsOf} from '../destinations/list.ts';
import {generations} from '../destinations/table.ts';
import {BridgeError} from '../errors.ts';
import {requestLines} from './firewall-request.ts';
import {type Rule, rulesOf, type Target, targetsOf} from './firewall-rules.ts';
import {type Output, printable, table} from './print.ts';

export type FirewallOptions = {readonly request?: boolean; readonly generation?: string};

/** What has to be let through, from the configuration: as tables, as JSON, or as a request that a firewall team can work from. */
export function firewall(
	{config}: Loaded & {readonly config: Config},
	{request = false, generation}: FirewallOptions,
	machine = hostname(),
	/** With the list of an update that was accepted. */
	inForce = destinationsIn(config),
): Output {
	const {updates} = config.destinations;
	const targets = targetsOf(chosen(config, generation, inForce), updates?.http_url);
	const rules = rulesOf(config, targets);
	const notes = notesOf(config, targets, rules);
	const written = request ? requestLines({config, targets, rules, machine}) : undefined;
	const json = {
		sandbox: config.exporter.sandbox !== undefined,
		destinations: targets.map(targetJson),
		rules: rules.map(ruleJson),
		notes,
		...(written && {request: written.join('\n')}),
	};
	return {json, lines: written ?? [...targetTable(targets), '', ...ruleTable(rules), '', ...notes]};
}

/** As configured, with what the clients of the support proxy ask for; or the published list that is asked for, or all. */
function chosen(config: Config, generation: string | undefined, inForce: readonly Destination[]): readonly Destination[] {
	const {destinations, exporter} = config;
	const wanted =
		generation === 'all'
			? generations
			: generation === undefined
				? (config.support_proxy?.generations ?? [])
				: generations.filter(known => known === generation);
	if (wanted.length === 0 && generation !== undefined)
		throw new BridgeError('ERR_USAGE', `"${generation}" is not a list of destinations: ${generations.join(', ')} or all`);
	const endpoint = exporter.call_home_connect?.endpoint;
	const published = wanted.flatMap(known => destinationsOf({...destinations, generation: known}, {endpoint}));
	return generation === undefined ? [...inForce, ...published] : published;
}

const targetJson = ({publishedIn, ...target}: Target) => ({...target, addresses_published_in: publishedIn ?? null});

const ruleJson = ({reasons, ...rule}: Rule) => ({...rule, purposes: reasons});

const targetTable = (targets: readonly Target[]): string[] =>
	table(
		['PURPOSE', 'LIST', 'ROLE', 'HOST', 'PORT', 'PROTOCOL', 'PATH', 'ADDRESSES AS PUBLISHED'],
		targets.map(({purpose, generation, role, host, port, protocol, paths, addresses}) => [
			purpose,
			generation,
			role,
			host,
			String(port),
			protocol,
			paths.join(', ') || 'any',
			addresses.join(', ') || '-',
		]),
	);

const ruleTable = (rules: readonly Rule[]): string[] =>
	table(
		['DIRECTION', 'FROM', 'TO', 'PORT', 'PROTOCOL', 'CONNECTION', 'FOR'],
		rules.map(({direction, from, to, port, protocol, connections, reasons}) => [
			direction,
			printable(from),
			to,
			String(port),
			protocol,
			printable(connections.join(', ')) || '-',
			reasons.join(', '),
		]),
	);

function notesOf({exporter, destinations}: Config, targets: readonly Target[], rules: readonly Rule[]): string[] {
	const published = new Set(targets.flatMap(target => target.publishedIn ?? []));
	const hasInbound = rules.some(({direction}) => direction === 'inbound');
	return [
		exporter.sandbox && 'The configuration sends to the sandbox: nothing reaches IBM now. This is what it needs once it does.',
		'Resolve the names: addresses change, and a rule by name keeps working.',
		...[...published].map(source => `Addresses are as published in ${source}.`),
		destinations.dns_servers.length === 0 && "Names are resolved by this machine's own resolver, or by the proxy.",
		!hasInbound && 'Nothing has to reach this machine from outside.',
		!targets.some(({port}) => port === 80) && 'Port 80 is not needed.',
	].filter(note => typeof note === 'string');
}
