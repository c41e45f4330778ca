import {type Attributes, Severity} from '../../event.ts';
import type {HardwareType} from '../../hardware.ts';
import {readEventId, type SensorEvent} from '../../sensor-codes.ts';
import type {Alert, Told} from './alert.ts';
import {namedPart} from './part.ts';
import {type Trap, textOfValue} from './trap.ts';

/** IMMALERT-MIB 2.6, and LENOVO-XCC-ALERT-MIB, which has the same objects and some more. */
const enterprises = ['1.3.6.1.4.1.2.6.158.5', '1.3.6.1.4.1.19046.11.1.158.5'] as const;

/** What the varbinds are called, by their last arc. 24 to 27 are the XCC's. */
const objects: Readonly<Record<number, string>> = {
	1: 'altDateTime',
	3: 'altSpTxtId',
	5: 'altSysUuid',
	6: 'altSysSern',
	8: 'altPriority',
	9: 'altMsgText',
	10: 'altMsgID',
	11: 'altMsgIDPrefix',
	12: 'altHostContact',
	13: 'altHostLocation',
	14: 'altHostRoomID',
	15: 'altHostRackID',
	16: 'altHostLowestUpos',
	17: 'altHostBladeBay',
	18: 'altEventID',
	19: 'altServiceable',
	20: 'altTest',
	21: 'altFailingFRUs',
	22: 'altHostMTM',
	23: 'altAuxData',
	24: 'altCommonEventID',
	25: 'altEventType',
	26: 'altDetectorID',
	27: 'altDIMMPartNumber',
};

type Row = Pick<Alert, 'state' | 'errorType' | 'verdict'> & {readonly type?: HardwareType};
const customer: Row = {state: 'degraded', verdict: 'serviceable'};
const told: Row = {state: undefined, verdict: 'never'};

/** By the specific number of the trap. */
const rows: Readonly<Record<number, Row>> = {
	0: {type: 'temperature', state: 'failed'},
	1: {type: 'voltage', state: 'failed'},
	4: {type: 'power_supply', state: 'failed'},
	5: {type: 'physical_disk', state: 'failed'},
	9: {type: 'power_supply', state: 'failed'},
	10: {type: 'power_supply', state: 'degraded', errorType: 'redundancy_lost'},
	11: {type: 'fan', state: 'failed'},
	12: {type: 'temperature', state: 'degraded'},
	13: {type: 'voltage', state: 'degraded'},
	21: customer, // The operating system did not answer.
	22: told, // An application's own.
	23: told, // Power off.
	24: told, // Power on.
	25: customer, // Boot failure.
	26: customer, // The loader of the operating system did not answer.
	27: {state: 'predicted_failure'},
	30: told, // Remote login.
	35: told, // The event log is 75 % full.
	36: {state: 'degraded', errorType: 'configuration', verdict: 'serviceable'},
	37: told, // The network changed.
	40: {type: 'cpu', state: 'failed'},
	41: {type: 'memory', state: 'failed', errorType: 'uncorrected'},
	42: {type: 'cpu', state: 'degraded'},
	43: {type: 'memory', state: 'predicted_failure', errorType: 'corrected_limit'},
	50: {state: 'failed'},
	60: {state: 'degraded'},
	164: {type: 'power_supply', state: 'degraded'},
	165: {type: 'fan', state: 'degraded'},
};

/** altPriority. Not to be taken for systemHealthStat, where 2 is critical. */
const priorities: Readonly<Record<number, Pick<Alert, 'severity' | 'state'>>> = {
	0: {severity: Severity.fatal, state: 'failed'},
	2: {severity: Severity.warn, state: 'degraded'},
	4: {severity: Severity.info, state: undefined},
	8: {severity: Severity.info, state: 'ok'},
};
const recovery = 8;

/** altServiceable: nobody, IBM (Lenovo), the customer. */
const serviceable: Readonly<Record<number, Alert['verdict']>> = {0: 'never', 1: 'call_home', 2: 'serviceable'};

/** The number of an alert of these modules; undefined for other traps. */
function specificOf({oid}: Trap): {readonly root: string; readonly specific: number} | undefined {
	for (const enterprise of enterprises) {
		// A relay that makes version 2 of version 1 may leave the 0 out.
		const match = oid.startsWith(`${enterprise}.`) ? /^(?:0\.)?(\d{1,5})$/.exec(oid.slice(enterprise.length + 1)) : null;
		if (match) return {root: `${enterprise}.1`, specific: Number(match[1])};
	}
	return undefined;
}

/** An alert of an IMM or an XCC; undefined when it is none. Every varbind may be missing. */
export function immAlert({trap, receivedAt}: Told): Alert | undefined {
	const found = specificOf(trap);
	if (!found) return undefined;
	const {root, specific} = found;
	const texts = textsOf(trap, root);
	const text = (arc: number) => texts.get(arc) ?? '';
	const row: Row = rows[specific] ?? {state: undefined};
	const priority = numberIn(text(8));
	const byPriority = priorities[priority ?? -1];
	const eventId = readEventId(text(18));
	const isRecovery = priority === recovery || (priority === undefined && eventId?.event?.state === 'ok');
	// Where the number of the trap, which is documented, says what is wrong, the id only adds to what it agrees with.
	const inferred = row.state === undefined || row.state === eventId?.event?.state ? eventId?.event : undefined;
	const state = isRecovery ? 'ok' : faultOf(row, inferred, byPriority?.state);
	const isGuess = row !== told && inferred !== undefined && (row.state === undefined || row.type === undefined);
	const part = namedPart(text(9), row.type ?? inferred?.type, eventId?.id.slice(2) ?? `trap-${specific}`);
	return {
		message: text(9) || `IMM alert ${specific} without a text`,
		severity: severityOf(state, byPriority?.severity),
		state,
		type: part.type,
		id: part.id,
		name: part.name,
		errorType: row.errorType ?? inferred?.errorType,
		verdict: serviceable[numberIn(text(19)) ?? -1] ?? row.verdict ?? inferred?.verdict,
		isTest: numberIn(text(20)) === 1,
		code: text(24) || eventId?.id || text(18),
		words: wordsOf(texts),
		attributes: {...frusOf(text(21)), 'snmp.trap.specific': specific, ...(isGuess && {'callhome.event.inferred': true})},
		resource: identityOf(text),
		identity: identityOfAlert({text, trap, receivedAt}),
	};
}

/** The number of the trap is documented, the event id is understood by inference, the priority is the coarsest. */
function faultOf(row: Row, inferred: SensorEvent | undefined, byPriority: Alert['state']): Alert['state'] {
	if (row === told) return undefined;
	const guess = inferred?.state === 'information' || inferred?.state === 'ok' ? undefined : inferred?.state;
	return row.state ?? guess ?? byPriority;
}

/** A predicted failure comes with the priority of a system alert, and is more than that. */
const severityOf = (state: Alert['state'], told: number | undefined): number => {
	if (state === 'ok') return Severity.info;
	const least = state === 'failed' ? Severity.error : state === undefined ? Severity.info : Severity.warn;
	return Math.max(told ?? 0, least);
};

type Text = (arc: number) => string;

const numberIn = (text: string): number | undefined => (/^\d{1,9}$/.test(text) ? Number(text) : undefined);

/** The objects by their last arc; some senders put the 0 of an instance behind it. */
function textsOf({varbinds}: Trap, root: string): ReadonlyMap<number, string> {
	const texts = new Map<number, string>();
	for (const {oid, value} of varbinds) {
		if (!oid.startsWith(`${root}.`)) continue;
		const arc = Number(oid.slice(root.length + 1).replace(/\.0$/, ''));
		if (objects[arc]) texts.set(arc, textOfValue(value));
	}
	return texts;
}

/** By the names of the MIB, so that the module's documents explain them. */
function wordsOf(texts: ReadonlyMap<number, string>): Attributes {
	const words: Record<string, string> = {};
	for (const [arc, text] of texts) if (text !== '') words[`snmp.${objects[arc]}`] = text;
	return words;
}

/** In the module's order: the likeliest to be at fault first. */
function frusOf(text: string): Attributes {
	const numbers = text
		.split(',')
		.map(number => number.trim())
		.filter(number => /^[\w-]{1,40}$/.test(number));
	return numbers.length > 0 ? {'hw.failing_frus': numbers.slice(0, 50)} : {};
}

/** `8871AC1` or `8871-AC1`. */
export function machineOf(typeAndModel: string, serialNumber: string): Attributes {
	const [, type, model] = /^([0-9A-Z]{4})[- ]?([0-9A-Z]{1,8})$/i.exec(typeAndModel) ?? [];
	const isSerial = /^(?=.*\w)[\w-]{1,32}$/.test(serialNumber) && !/^(0+|n-?a|none|unknown)$/i.test(serialNumber);
	return {
		...(type && {'callhome.system.type': type.toUpperCase()}),
		...(model && {'callhome.system.model': model.toUpperCase()}),
		...(isSerial && {'callhome.system.serial_number': serialNumber.toUpperCase()}),
	};
}

const identityOf = (text: Text): Attributes => ({
	...(text(5) && {'host.id': text(5)}),
	...machineOf(text(22), text(6)),
});

const day = 86_400_000;

/**
The module sends an alert again, and may do so in two versions and to a relay: then all is the same but its uptime and its
sender. Where its clock is missing or wrong, two alerts may have the same time by chance, and the uptime has to tell them apart.
*/
function identityOfAlert({text, trap, receivedAt}: {text: Text; trap: Trap; receivedAt: number}): readonly unknown[] {
	const told = text(1);
	const at = Date.parse(`${told.replace(/^(\d+)\/(\d+)\/(\d+), ?/, '$3-$1-$2T').replace(/(\.\d+)?$/, '')}Z`);
	const isTrusted = Number.isFinite(at) ? Math.abs(at - receivedAt) < 1.5 * day : false;
	const machine = text(5) || text(6) || trap.agent;
	const words = [1, 8, 9, 10, 11, 18, 20, 21].map(text);
	return isTrusted ? [machine, words] : [machine, words, trap.agent, trap.uptime];
}
