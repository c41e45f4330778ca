import {styleText} from 'node:util';
import {destinationsIn} from '../agent/ways.ts';
import type {Config} from '../config.ts';
import type {Destination} from '../destination.ts';
import {serversFor} from '../destinations/list.ts';
import {authority} from '../sending/address.ts';
import type {ConnectivityState, PathState} from '../sending/connectivity-state.ts';
import {type LightsByDestination, lights} from '../sending/lights.ts';
import {printable, table, timeText} from './print.ts';

/** What `status` knows of the ways to IBM. */
export type Connectivity = {
	readonly lit: LightsByDestination;
	/** With the list of an update that was accepted; otherwise as configured. */
	readonly destinations?: readonly Destination[];
	/** Undefined when the bridge does not run: what it knew then says nothing of now. */
	readonly state: ConnectivityState | undefined;
};

/**
The servers that problems go to, whether they were ever reached or not, and whatever else was. The sandbox has another port
after each start: of its earlier ones only the last is of interest.
*/
export function serversToShow(
	config: Config,
	{lit, state, destinations = destinationsIn(config)}: Connectivity,
): readonly string[] {
	const seen = Object.keys(lit);
	const used = state?.paths.map(({destination}) => destination) ?? [];
	const {call_home_connect: ibm} = config.exporter;
	if (!ibm) return used.length > 0 ? [...new Set(used)] : seen.slice(0, 1);
	const servers = serversFor(destinations, 'problem_reporting');
	const configured = servers.flatMap(({host, ports: [port]}) => (port === undefined ? [] : authority({host, port})));
	return [...new Set([...used, ...configured, ...seen])];
}

export const connectivityJson = (config: Config, connectivity: Connectivity) => {
	const {lit, state} = connectivity;
	return {
		destinations: serversToShow(config, connectivity).map(destination => ({
			destination,
			...Object.fromEntries(lights.map(light => [light, timeText(lit[destination]?.[light]) ?? null])),
		})),
		connections: state?.paths.map(pathJson) ?? null,
		exhausted: state ? state.exhaustedSince !== undefined : null,
		exhausted_since: timeText(state?.exhaustedSince) ?? null,
		heartbeat_overdue: state?.heartbeatOverdue ?? null,
	};
};

const pathJson = ({connection, destination, state, since, lastSuccessAt, errorType, reason}: PathState) => ({
	connection,
	destination,
	state,
	since: timeText(since) ?? null,
	last_success: timeText(lastSuccessAt) ?? null,
	error_type: errorType ?? null,
	reason: reason ?? null,
});

/** What must not be overlooked comes first. Each light stands by itself: none says anything about the next. */
export function connectivityLines(config: Config, connectivity: Connectivity): string[] {
	const {lit, state} = connectivity;
	const servers = serversToShow(config, connectivity);
	const head = ['Destination', 'Last reached', 'Last accepted', 'Last case opened', 'Last uploaded'];
	const rows = servers.map(server => [server, ...lights.map(light => timeText(lit[server]?.[light]) ?? 'never')]);
	return [...alarms(state), ...(rows.length === 0 ? [] : ['', ...table(head, rows)]), ...(state ? pathLines(state.paths) : [])];
}

function alarms(state: ConnectivityState | undefined): string[] {
	const said = [
		state?.exhaustedSince !== undefined &&
			`No connection leads to IBM since ${timeText(state.exhaustedSince)}: "callhome test connectivity" names the broken hop.`,
		state?.heartbeatOverdue && 'No heartbeat was answered for three intervals.',
	].filter(text => typeof text === 'string');
	return said.length === 0 ? [] : ['', ...said.map(text => styleText('red', text))];
}

function pathLines(paths: readonly PathState[]): string[] {
	if (paths.length === 0) return [];
	const rows = paths.map(({connection, destination, state, since, lastSuccessAt, reason}) => [
		connection,
		destination,
		state === 'unknown' ? 'not used yet' : state,
		timeText(since) ?? '',
		timeText(lastSuccessAt) ?? 'never',
		printable(reason ?? ''),
	]);
	return ['', ...table(['Connection', 'Destination', 'State', 'Since', 'Last answer', 'Reason'], rows)];
}
