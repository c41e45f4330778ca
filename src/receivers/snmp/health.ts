import {type Attributes, type HardwareEvent, Severity} from '../../event.ts';
import {digest, severityOfState} from './alert.ts';
import type {PartRead, PartState} from './readings.ts';

/** How the parts stood when the machine was read last, by their ids. Those that are well are left out. */
export type Standing = Readonly<Record<string, PartState>>;

/** Where the reading of one machine stands. Kept across restarts. */
export type HostMark = {
	readonly standing: Standing;
	/** Of parts that stood badly and read well: since when they do. */
	readonly well?: Readonly<Record<string, number>> | undefined;
	/** The machine said that it was unwell as a whole, and no part of it did. */
	readonly suspect?: PartState | undefined;
	/** Digests of the lines of the event log, its first line, and its last one with its index. */
	readonly log?: {readonly digests: readonly string[]; readonly first: string; readonly last: string};
	readonly changes?: readonly string[];
	/** The classes of alerts that the module sends no traps of. */
	readonly silent?: string;
};

/**
A part that was ill counts as ill until it has read well for so long: one that flickers is one fault, and not a case that is
told to be over and back again each minute.
*/
export function settled(
	parts: readonly PartRead[],
	{standing, well = {}}: Pick<HostMark, 'standing' | 'well'>,
	{at, recoveryMillis}: {readonly at: number; readonly recoveryMillis: number},
): {readonly parts: readonly PartRead[]; readonly well: Readonly<Record<string, number>>} {
	const waiting: Record<string, number> = {};
	const judgedParts = parts.map(part => {
		const before = standing[part.id];
		if (part.state !== 'ok' || before === undefined) return part;
		const since = Math.min(well[part.id] ?? at, at);
		if (at - since >= recoveryMillis) return part;
		waiting[part.id] = since;
		return {...part, state: before};
	});
	return {parts: judgedParts, well: waiting};
}

type Judged = Pick<PartRead, 'id' | 'type' | 'name' | 'attributes'> & {readonly state: PartState};

/** What is wrong with the machine as a whole, when none of its parts says so. */
export function systemPart(state: PartState | undefined, parts: readonly PartRead[], summary: string): PartRead[] {
	if (state === undefined) return [];
	const isExplained = state !== 'ok' && parts.some(part => part.state !== undefined && part.state !== 'ok');
	const name = summary === '' || state === 'ok' ? 'system health' : `system health: ${summary}`.slice(0, 200);
	return [
		{id: 'enclosure/system', type: 'enclosure', name: isExplained ? 'system health' : name, state, attributes: {}, readings: []},
	];
}

/**
The parts that raise a problem of their own. The machine as a whole does so where none of its parts does, and only when it is
so for the second time: the parts are read after the whole, and one that has just become well explains nothing any more.
*/
export function judged(
	parts: readonly PartRead[],
	suspected: PartState | undefined,
): {readonly ill: readonly Judged[]; readonly suspect?: PartState} {
	const all = parts.filter((part): part is PartRead & {state: PartState} => part.state !== undefined && part.state !== 'ok');
	const ill = all.filter(({type}) => type !== 'enclosure');
	const whole = all.find(({type}) => type === 'enclosure');
	if (!whole || ill.length > 0) return {ill};
	return {ill: suspected === undefined ? [] : [whole], suspect: whole.state};
}

/**
What changed since: a level, as the module holds it. What a part left is told after what it has become, so that one that
only got worse is never taken for well. A part that is no longer listed, or no longer says how it is, stays as it was: a
module that was just started knows nothing, and that is no repair.
*/
export function healthEvents(
	parts: readonly PartRead[],
	{standing: before, suspect: suspected}: Pick<HostMark, 'standing' | 'suspect'>,
	{machine, resource, at}: {readonly machine: string; readonly resource: Attributes; readonly at: number},
): {readonly events: HardwareEvent[]; readonly standing: Standing; readonly suspect?: PartState | undefined} {
	const {ill, suspect} = judged(parts, suspected);
	const now = new Map(ill.map(part => [part.id, part]));
	const known = new Map(parts.map(part => [part.id, part]));
	const standing: Record<string, PartState> = {};
	const [rising, falling]: [HardwareEvent[], HardwareEvent[]] = [[], []];
	for (const [id, part] of now) {
		standing[id] = part.state;
		if (before[id] !== part.state) rising.push(level(part, part.state, 1));
	}
	for (const [id, state] of Object.entries(before)) {
		const part = known.get(id);
		if (now.get(id)?.state === state) continue;
		if (part?.state === undefined) standing[id] = state;
		else falling.push(level(part, state, 0));
	}
	return {events: [...rising, ...falling], standing, ...(suspect && {suspect})};

	function level({id, type, name, attributes}: Omit<Judged, 'state'>, state: PartState, value: 0 | 1): HardwareEvent {
		const series = digest(['snmp/poll', machine, id, state]);
		return {
			id: digest([series, value, at]),
			name: 'callhome.hardware.alert',
			occurredAt: at,
			receivedAt: at,
			severity: value === 0 ? Severity.info : severityOfState[state],
			message: `${name}: ${value === 0 ? `no longer ${state.replaceAll('_', ' ')}` : state.replaceAll('_', ' ')}`,
			resource,
			attributes: {...attributes, 'hw.id': id, 'hw.type': type, 'hw.name': name, 'hw.state': state},
			source: 'snmp/poll',
			measurement: {metric: 'hw.status', series, value, kind: 'state'},
		};
	}
}
