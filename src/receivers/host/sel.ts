import type {HardwareType} from '../../hardware.ts';
import {type SensorEvent, sensorEvent} from '../../sensor-codes.ts';
import {clean, type Finding, type NamedPart, namedPart} from './alert.ts';

/** A record of the system event log, as the management module keeps it (IPMI 2.0, 32.1): sixteen bytes. */
export type SelRecord = {
	readonly id: number;
	readonly type: number;
	/** Seconds of the module's clock: since 1970, or since its own start while its clock is not set. */
	readonly seconds: number;
	readonly sensorType: number;
	readonly sensorNumber: number;
	readonly eventType: number;
	readonly deasserted: boolean;
	readonly data: readonly [number, number, number];
	readonly raw: string;
};

export const recordBytes = 16;
/** Times before this are since the start of the module (IPMI 2.0, 37). */
export const unsetBelow = 0x20000000;

/** Reads what `ipmitool sel writeraw` wrote. Undefined when it is not made of whole records. */
export function readRecords(bytes: Uint8Array): readonly SelRecord[] | undefined {
	if (bytes.length % recordBytes !== 0) return undefined;
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	return Array.from({length: bytes.length / recordBytes}, (_, index): SelRecord => {
		const at = index * recordBytes;
		const byte = (offset: number) => view.getUint8(at + offset);
		return {
			id: view.getUint16(at, true),
			type: byte(2),
			seconds: view.getUint32(at + 3, true),
			sensorType: byte(10),
			sensorNumber: byte(11),
			eventType: byte(12) & 0x7f,
			deasserted: (byte(12) & 0x80) !== 0,
			data: [byte(13), byte(14), byte(15)],
			raw: Buffer.from(bytes.subarray(at, at + recordBytes)).toString('hex'),
		};
	});
}

/** What `ipmitool sel elist` says of a record, in words. */
export type SelLine = {
	readonly id: number;
	/** Such as `Memory DIMM 8` or `Memory #0x12`. */
	readonly sensor: string;
	readonly event: string;
	/** Which module, or the reading and its threshold. */
	readonly extra: string;
};

const direction = /^(?:Asserted|Deasserted)$/i;

/**
Reads `17 | 01/27/2015 | 11:31:21 | Memory #0x02 | Uncorrectable ECC | Asserted | CPU 0 DIMM 8`, from the right: a clock that
is not set takes one field or two. Ids are hexadecimal.
*/
export function readLine(line: string): SelLine | undefined {
	const fields = line
		.slice(0, 1000)
		.split('|')
		.map(field => clean(field, 200));
	const id = /^[0-9a-f]{1,4}$/i.test(fields[0] ?? '') ? Number.parseInt(fields[0] ?? '', 16) : undefined;
	const at = fields.findIndex((field, index) => index >= 3 && direction.test(field));
	if (id === undefined || at < 3) return undefined;
	return {id, sensor: fields[at - 2] ?? '', event: fields[at - 1] ?? '', extra: fields.slice(at + 1).join(' ')};
}

/** Bytes 3 to 13 of the answer to Get SEL Info (IPMI 2.0, 31.2), as `ipmitool raw 0x0a 0x40` prints them. */
export type SelInfo = {readonly entries: number; readonly added: number; readonly erased: number; readonly overflowed: boolean};

export function readInfo(text: string): SelInfo | undefined {
	if (!/^[\s0-9a-f]{1,200}$/i.test(text)) return undefined;
	const bytes = Buffer.from(text.replaceAll(/\s+/g, ''), 'hex');
	if (bytes.length !== 14) return undefined;
	const operations = bytes.readUInt8(13);
	return {
		entries: bytes.readUInt16LE(1),
		added: bytes.readUInt32LE(5),
		erased: bytes.readUInt32LE(9),
		overflowed: (operations & 0x80) !== 0,
	};
}

/** `Memory #0x12`: the type in words, and no name. */
const unnamed = /#0x[0-9a-f]{1,2}$/i;

/** The part: the module that the extra field names, the sensor by its name, or its number. */
function partOf(record: SelRecord, line: SelLine | undefined, type: HardwareType | undefined): NamedPart {
	const number = `0x${record.sensorNumber.toString(16).padStart(2, '0')}`;
	const extra = line?.extra ?? '';
	const sensor = line?.sensor ?? '';
	const isPlace = extra !== '' && !/\breading\b|\bthreshold\b/i.test(extra);
	const named = isPlace ? namedPart(extra, type) : undefined;
	if (named && named.type !== undefined && /\d/.test(named.id)) return named;
	if (sensor !== '' && !unnamed.test(sensor)) return namedPart(sensor, type);
	return {type, id: `${type ?? 'sensor'}/sensor-${number}`, name: sensor || `sensor ${number}`};
}

/**
Kinds of sensors that tell what the machine does, not how it is (IPMI 2.0, table 42-3): platform security, event logging, system
event, buttons, boot and end of the operating system, ACPI power states, presence, sessions, versions.
*/
const ofNoFault = new Set([0x06, 0x10, 0x12, 0x14, 0x1d, 0x1f, 0x20, 0x22, 0x25, 0x2a, 0x2b]);

/** Undefined for what tells nothing of a fault: a boot, a log that was cleared, records in a vendor's own format. */
export function recordToFinding(record: SelRecord, line: SelLine | undefined, log: string): Finding | undefined {
	if (record.type >= 0xc0 || ofNoFault.has(record.sensorType)) return undefined;
	const offset = record.data[0] & 0x0f;
	const event: SensorEvent | undefined = sensorEvent(record.sensorType, record.eventType, offset, record.deasserted);
	if (event?.state === 'information' && event.errorType === undefined) return undefined;
	const state = event === undefined || event.state === 'information' ? undefined : event.state;
	const part = partOf(record, line, event?.type);
	const said = line?.event || `event type 0x${record.eventType.toString(16)}, offset ${offset}`;
	return {
		part,
		state,
		errorType: event?.errorType,
		// What no table knows is told, and left to the operator's rules.
		verdict: event === undefined ? 'never' : event.verdict,
		message: [part.name, said, record.deasserted ? 'deasserted' : '', line?.extra ?? ''].filter(text => text !== '').join(': '),
		identity: [log, record.raw],
		occurredAt: record.seconds < unsetBelow ? undefined : record.seconds * 1000,
		attributes: {
			'callhome.host.sel.record': record.id,
			'callhome.host.sel.raw': record.raw,
			'callhome.host.sel.sensor': line?.sensor,
			'callhome.host.sel.event': line?.event,
			'callhome.host.sel.extra': line?.extra,
		},
	};
}
