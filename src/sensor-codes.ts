import type {HardwareType} from './hardware.ts';

/** What a coded event of a management controller says. */
export type SensorEvent = {
	readonly type: HardwareType | undefined;
	/** `information`: nothing is wrong. */
	readonly state: 'ok' | 'degraded' | 'failed' | 'predicted_failure' | 'information';
	/** As `error.type`, where the state alone does not tell. */
	readonly errorType?: string;
	/** Who is needed, where that is known better than the state tells: IBM, the customer, or nobody. */
	readonly verdict?: 'call_home' | 'serviceable' | 'never';
};

/** IPMI 2.0, table 42-3: sensor type codes. */
const sensorTypes: Readonly<Record<number, HardwareType>> = {
	1: 'temperature',
	2: 'voltage',
	4: 'fan',
	7: 'cpu',
	8: 'power_supply',
	9: 'power_supply',
	10: 'fan',
	12: 'memory',
	13: 'physical_disk',
	24: 'enclosure',
	41: 'battery',
};

type Row = Omit<SensorEvent, 'type'>;
const nothing: Row = {state: 'information', verdict: 'never'};
const failed: Row = {state: 'failed'};
const degraded: Row = {state: 'degraded'};
const predicted: Row = {state: 'predicted_failure'};
const uncorrected: Row = {state: 'failed', errorType: 'uncorrected'};
const corrected: Row = {state: 'information', errorType: 'corrected', verdict: 'never'};
const inputLost: Row = {state: 'degraded', errorType: 'input_lost', verdict: 'serviceable'};
const misconfigured: Row = {state: 'degraded', errorType: 'configuration', verdict: 'serviceable'};
const unreadable: Row = {state: 'degraded', errorType: 'unreadable', verdict: 'serviceable'};

/** IPMI 2.0, table 42-3: what each offset of a sensor-specific event means, by sensor type. */
const sensorSpecific: Readonly<Record<number, readonly Row[]>> = {
	5: [nothing, nothing, nothing, nothing, nothing, nothing, nothing],
	7: [
		failed,
		failed,
		failed,
		failed,
		failed,
		misconfigured,
		uncorrected,
		nothing,
		degraded,
		nothing,
		degraded,
		uncorrected,
		corrected,
	],
	8: [nothing, failed, predicted, inputLost, inputLost, inputLost, misconfigured, nothing],
	9: [nothing, nothing, nothing, nothing, inputLost, failed, failed, predicted],
	12: [
		corrected,
		uncorrected,
		uncorrected,
		{state: 'failed', errorType: 'scrub_failed'},
		degraded,
		{state: 'predicted_failure', errorType: 'corrected_limit'},
		nothing,
		misconfigured,
		nothing,
		degraded,
		degraded,
	],
	13: [nothing, failed, predicted, nothing, nothing, degraded, failed, nothing, degraded],
	19: [
		nothing,
		failed,
		nothing,
		nothing,
		uncorrected,
		uncorrected,
		nothing,
		corrected,
		uncorrected,
		nothing,
		uncorrected,
		degraded,
	],
	40: [unreadable, unreadable, unreadable, unreadable, unreadable, unreadable],
	41: [{state: 'degraded', verdict: 'serviceable'}, {state: 'failed', verdict: 'serviceable'}, nothing],
};

/** IPMI 2.0, table 42-2: generic event types, by offset. */
const generic: Readonly<Record<number, readonly Row[]>> = {
	// Thresholds: lower non-critical, lower critical, lower non-recoverable, then the upper ones; each going low and going high.
	1: [degraded, degraded, failed, failed, failed, failed, degraded, degraded, failed, failed, failed, failed],
	3: [{state: 'ok'}, failed],
	4: [{state: 'ok'}, predicted],
	7: [{state: 'ok'}, degraded, failed, failed, degraded, failed, failed, nothing, nothing],
	8: [nothing, nothing],
	11: [
		{state: 'ok'},
		{state: 'degraded', errorType: 'redundancy_lost'},
		{state: 'degraded', errorType: 'redundancy_lost'},
		{state: 'degraded', errorType: 'redundancy_lost'},
		{state: 'degraded', errorType: 'redundancy_lost'},
		{state: 'failed', errorType: 'redundancy_lost'},
		{state: 'degraded', errorType: 'redundancy_lost'},
		{state: 'degraded', errorType: 'redundancy_lost'},
	],
};

const sensorSpecificEvent = 0x6f;

/** A sensor's event. Undefined for codes that no table has. */
export function sensorEvent(sensorType: number, eventType: number, offset: number, deasserted = false): SensorEvent | undefined {
	const row = (eventType === sensorSpecificEvent ? sensorSpecific[sensorType] : generic[eventType])?.[offset];
	if (!row) return undefined;
	const type = sensorTypes[sensorType];
	if (!deasserted || row.state === 'information') return {type, ...row};
	// What was wrong is over; and what was well is no longer.
	return {type, state: row.state === 'ok' ? 'degraded' : 'ok', ...(row.errorType !== undefined && {errorType: row.errorType})};
}

/** The source's own words for what the codes of an event id stand for. */
export type EventId = {
	/** Sixteen hexadecimal digits, without 0x, in upper case. */
	readonly id: string;
	/** Undefined for what the management controller says of itself, and for codes that no table has. */
	readonly event: SensorEvent | undefined;
};

/**
Reads an IMM's event id. The left half is 80 (or 81, when it is over), the IPMI event type, the offset and the sensor type. This is
inferred from the ids that IBM documents (806F010C, 806F030C, 806F050C), so what comes of it is a guess, and to be marked as one.
Undefined when the text is no event id.
*/
export function readEventId(text: string): EventId | undefined {
	const match = /^(?:0x)?([0-9a-f]{8})-?([0-9a-f]{8})$/i.exec(text.trim());
	if (!match) return undefined;
	const [, left = '', right = ''] = match;
	const id = `${left}${right}`.toUpperCase();
	const [kind, eventType, offset, sensorType] = [0, 2, 4, 6].map(at => Number.parseInt(left.slice(at, at + 2), 16));
	if (eventType === undefined || offset === undefined || sensorType === undefined) return undefined;
	const isSensor = kind === 0x80 || kind === 0x81;
	return {id, event: isSensor ? sensorEvent(sensorType, eventType, offset, kind === 0x81) : undefined};
}
