import {clean, type Finding, type NamedPart, namedPart} from './alert.ts';
import {numberOf, type Row, textIn} from './database.ts';

/** `2015-01-27 11:31:21 +0100`, as rasdaemon writes it. */
export function timeIn(text: string): number | undefined {
	const match = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)?(?: ?([+-]\d\d):?(\d\d))?$/.exec(text.trim());
	if (!match) return undefined;
	const [, date, time, hours, minutes] = match;
	const at = Date.parse(`${date}T${time}${hours === undefined ? 'Z' : `${hours}:${minutes}`}`);
	return Number.isNaN(at) ? undefined : at;
}

type Kind = Pick<Finding, 'state' | 'errorType' | 'verdict'>;
const corrected: Kind = {state: undefined, errorType: 'corrected', verdict: 'never'};
const uncorrected: Kind = {state: 'failed', errorType: 'uncorrected'};
const told: Kind = {state: undefined, verdict: 'never'};

/** What rasdaemon and the kernel call the kinds of errors. */
export function kindOf(text: string): Kind {
	if (/\bun-?correct|\bfatal|\bdeferred|\bpanic|\bunrecover/i.test(text)) return uncorrected;
	if (/\brecoverable/i.test(text)) return uncorrected;
	return /\bcorrect/i.test(text) ? corrected : told;
}

type Told = Omit<Finding, 'identity' | 'occurredAt'>;

const joined = (...texts: readonly string[]): string => clean(texts.filter(text => text !== '').join(': '), 500);

function memoryEvent(row: Row): Told {
	const label = textIn(row, 'label');
	const controller = textIn(row, 'mc');
	const layers = ['top_layer', 'middle_layer', 'lower_layer'].map(name => numberOf(row, name) ?? -1).filter(layer => layer >= 0);
	// "any memory" and "unknown memory" are what the kernel says when it could not tell.
	const isNamed = label !== '' && !/\b(any|unknown) memory\b/i.test(label);
	const part: NamedPart = isNamed
		? namedPart(label, 'memory')
		: {type: 'memory', id: `memory/${['mc', controller].join('')}`, name: `memory controller mc${controller}`};
	const type = textIn(row, 'err_type');
	const count = numberOf(row, 'err_count') ?? 1;
	return {
		...kindOf(type),
		part,
		message: joined(part.name, `${count} ${type} memory ${count === 1 ? 'error' : 'errors'}`, textIn(row, 'err_msg')),
		attributes: {
			'callhome.host.ras.count': count,
			'callhome.host.ras.layers': layers.join('/'),
			'callhome.host.ras.detail': clean(textIn(row, 'driver_detail'), 300),
		},
	};
}

/** A register of 64 bits, which SQLite keeps as a number with a sign. */
const isBitSet = (register: unknown, bit: bigint): boolean =>
	(typeof register === 'bigint' || Number.isSafeInteger(register)) && (BigInt(register as bigint | number) >> bit) % 2n !== 0n;

function machineCheck(row: Row): Told {
	const isUncorrected = isBitSet(row.status, 61n);
	const location = textIn(row, 'mc_location');
	const bank = textIn(row, 'bank_name');
	const message = textIn(row, 'error_msg');
	const isMemory = /\bmemory\b/i.test(`${bank} ${message}`) || /\bdimm/i.test(location);
	const cpu = textIn(row, 'cpu');
	const part = isMemory && location !== '' ? namedPart(location, 'memory') : cpuPart(cpu);
	return {
		...(isUncorrected ? uncorrected : kindOf(textIn(row, 'mcistatus_msg'))),
		part,
		message: joined(part.name, bank, message, textIn(row, 'mcistatus_msg'), textIn(row, 'user_action')),
		attributes: {'callhome.host.ras.location': clean(location, 200)},
	};
}

export const cpuPart = (cpu: string): NamedPart => ({type: 'cpu', id: `cpu/${cpu || 'unknown'}`, name: `CPU ${cpu}`.trim()});

/** A device on PCI Express, by its address. */
export const pciPart = (address: string): NamedPart => {
	const name = clean(address, 60).toLowerCase();
	return {type: undefined, id: `pci/${name || 'unknown'}`, name: `PCI device ${name}`.trim()};
};

function pciError(row: Row): Told {
	const part = pciPart(textIn(row, 'dev_name'));
	const type = textIn(row, 'err_type');
	return {...kindOf(type), part, message: joined(part.name, `${type} PCI Express error`, textIn(row, 'err_msg'))};
}

/** ACPI 6: severity of a generic error, 0 recoverable, 1 fatal, 2 corrected, 3 informational. */
const severities = ['Recoverable', 'Fatal', 'Corrected', 'Informational'];

function firmwareRecord(row: Row): Told {
	const severity = /^\d$/.test(textIn(row, 'severity'))
		? (severities[Number(textIn(row, 'severity'))] ?? '')
		: textIn(row, 'severity');
	const unit = textIn(row, 'fru_text');
	const part: NamedPart = unit === '' ? {type: undefined, id: 'part/firmware', name: 'firmware'} : namedPart(unit);
	return {
		...kindOf(severity),
		part,
		message: joined(part.name, `${severity} error that the firmware reports`, textIn(row, 'etype')),
	};
}

function failedPage(row: Row): Told {
	const part: NamedPart = {type: 'memory', id: 'memory/unknown', name: 'memory'};
	return {
		...uncorrected,
		part,
		message: joined('memory failure', textIn(row, 'page_type'), textIn(row, 'action_result')),
		attributes: {'callhome.host.ras.page': clean(textIn(row, 'pfn'), 40)},
	};
}

function diskError(row: Row): Told {
	const device = textIn(row, 'dev');
	const error = textIn(row, 'error');
	return {
		// Only a bad medium is the disk's own for certain: a path, a cable or a removed disk fails in the same way.
		...(/medium|protection/i.test(error) ? {...uncorrected, errorType: 'bad_sector'} : {state: 'degraded'}),
		part: {
			type: 'physical_disk',
			id: `physical_disk/${clean(device, 60) || 'unknown'}`,
			name: `disk ${clean(device, 60)}`.trim(),
		},
		message: joined(`disk ${device}`, error, `sector ${textIn(row, 'sector')}`),
	};
}

/** What each table of rasdaemon holds. Which of them there are depends on how it was built. */
export const rasTables: Readonly<Record<string, (row: Row) => Told>> = {
	mc_event: memoryEvent,
	mce_record: machineCheck,
	aer_event: pciError,
	extlog_event: firmwareRecord,
	memory_failure_event: failedPage,
	disk_errors: diskError,
};

/** One row as a finding. Its own words make its identity: the ids begin again with each new file. */
export function rowToFinding(table: string, row: Row, inode: string): Finding | undefined {
	const read = rasTables[table];
	const id = numberOf(row, 'id');
	if (!read || id === undefined) return undefined;
	const at = textIn(row, 'timestamp');
	return {...read(row), occurredAt: timeIn(at), identity: [table, id, at, inode]};
}
