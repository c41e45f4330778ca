import type {SourceParts} from '../../source.ts';
import type {Refusal} from './decode.ts';

const refusals: Readonly<Record<Refusal, string>> = {
	malformed: 'is no whole trap or inform',
	client_not_allowed: 'comes from an address that is not among receivers.snmp.traps.clients',
	unknown_community: 'has a community that is not among receivers.snmp.traps.communities',
	unknown_user: 'has a user that is not among receivers.snmp.traps.users',
	not_authenticated: 'is not proven by the passwords of its user under receivers.snmp.traps.users',
	engine_not_allowed: 'comes from another engine than its user may use (engine_id)',
	not_in_time_window:
		'is older than what its engine sent before: it was recorded and sent again, or the engine counts its starts anew (then set check_time: false for its user)',
	too_many_engines: 'comes from an engine that is new, and there are too many of those',
};

const minute = 60_000;
const mostLines = 20;

/**
One line a minute for each reason and address, and so many in all: whoever floods the socket, from addresses that are made
up, is not to flood the log.
*/
export function createRefusalLog(log: SourceParts['log'], now: () => number) {
	let said = new Set<string>();
	let since = now();
	let unsaid = 0;
	return function sayRefused(reason: Refusal, address: string): void {
		if (now() - since >= minute) {
			if (unsaid > 0) log('warn', `SNMP traps: ${unsaid} more datagrams were refused in the minute before`);
			[said, since, unsaid] = [new Set(), now(), 0];
		}
		const key = `${reason} ${address}`;
		if (said.has(key) || said.size >= mostLines) {
			unsaid++;
			return;
		}
		said.add(key);
		log('warn', `SNMP traps: a datagram from ${address} ${refusals[reason]}`);
	};
}
