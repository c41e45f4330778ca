import type {Attributes, Consume} from './event.ts';

/** A reading of a machine's hardware, by the name, the unit and the attributes of the semantic conventions. */
export type Reading = {
	/** Such as `hw.temperature` (Cel), `hw.fan.speed` (rpm), `hw.status` (1 or 0, one for each state). */
	readonly metric: string;
	readonly value: number;
	/** `hw.id` at least. */
	readonly attributes: Attributes;
};

/**
Takes the place of all that the source read of this machine before. No readings: the machine is no longer read. `everyMillis`
is how often it is read: what was read seldom is shown for longer.
*/
export type Measure = (
	source: string,
	resource: Attributes,
	readings: readonly Reading[],
	at: number,
	everyMillis?: number,
) => void;

/** Where a source stands with what it reads from: kept across restarts. A mark is written after the events before it are kept. */
export type Marks = {
	read(key: string): Promise<string | undefined>;
	write(key: string, value: string): Promise<void>;
};

/** How a source does with one of its targets. */
export type TargetState = {
	/** Such as `cim`, `snmp`, `redfish`, `host/edac`. */
	readonly source: string;
	/** A host or an address; the empty text is this machine. */
	readonly target: string;
	/** `absent`: the source does not apply there. `stopped`: it waits for a person, such as after a refused login. */
	readonly state: 'working' | 'failing' | 'stopped' | 'absent';
	/** Why, and what to do; empty while it works. */
	readonly reason: string;
};

/** What every source of hardware events is given. */
export type SourceParts = {
	readonly consume: Consume;
	readonly measure: Measure;
	readonly marks: Marks;
	/** Hears of a change, and of nothing that is as it was. */
	readonly onTarget: (state: TargetState) => void;
	readonly log: (level: 'info' | 'warn' | 'error', text: string) => void;
	readonly now?: () => number;
	/** 0 to 1: spreads what would else happen at once. */
	readonly random?: () => number;
};
