import type {HardwareEvent} from '../event.ts';
import {isStandardTrap, type Pdu, toTrap, type Varbind} from '../receivers/snmp/trap.ts';
import {trapEvent} from '../receivers/snmp/trap-event.ts';

const trap1 = 0xa4;
const trap2 = 0xa7;
const enterpriseSpecific = 6;
/** Lines of one trap: values may have line ends in them. */
const mostLines = 1000;

/** `2026-01-31 08:00:00 …`, as snmptrapd begins what it logs of each trap, in the time of its machine. */
const header = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) .*?\[([0-9a-fA-F.:]+)\]/;
/** What it says of its own start and end. */
const ofItself = /^(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d )?(?:NET-SNMP version |Stopping snmptrapd)/;
const version1 = /^\.([\d.]+) Enterprise Specific Trap \((\d+)\) Uptime: /;
const varbind = /(?:^|\t|\n)\.(\d[\d.]*) = (?:([A-Za-z][\w-]*): )?/g;

/** Whether a line begins a trap, or is of the log itself. */
export const isTrapLine = (line: string): boolean => header.test(line) || ofItself.test(line);

/** A value as snmptrapd prints it with -On. */
function printed(type: string | undefined, text: string): Varbind['value'] {
	if (type === 'STRING') return Buffer.from(text.replace(/^"(.*)"$/s, '$1').replaceAll(/\\(.)/gs, '$1'));
	if (type === 'Hex-STRING') return Buffer.from(text.replaceAll(/\s+/g, ''), 'hex');
	if (type === 'OID') return /^\.?([\d.]*)/.exec(text)?.[1] ?? '';
	const number = /^(?:[\w-]*\()?(-?\d{1,15})\)?/.exec(text)?.[1];
	return number === undefined || type === 'IpAddress' ? text : Number(number);
}

function varbindsIn(text: string): Varbind[] {
	const starts = [...text.matchAll(varbind)];
	return starts.map((start, index) => {
		const from = start.index + start[0].length;
		const value = text.slice(from, starts[index + 1]?.index ?? text.length).trim();
		return {oid: start[1] ?? '', value: printed(start[2], value)};
	});
}

/**
Reads what `snmptrapd -On` has logged: lines go in, and the event of a trap comes out with the line that begins the next one, or
at the end. Undefined for a trap that tells nothing of hardware.
*/
export function createTrapLog() {
	let lines: string[] = [];

	function finish(): HardwareEvent | undefined {
		const [first = '', ...rest] = lines;
		lines = [];
		const [, date, time, sender = ''] = header.exec(first) ?? [];
		const receivedAt = Date.parse(`${date}T${time}`);
		if (Number.isNaN(receivedAt)) return undefined;
		const text = rest.map(line => line.replace(/^\t/, '')).join('\n');
		const [, enterprise, specific] = version1.exec(text) ?? [];
		const pdu: Pdu =
			enterprise === undefined
				? {type: trap2, varbinds: varbindsIn(text)}
				: {
						type: trap1,
						enterprise,
						generic: enterpriseSpecific,
						specific: Number(specific),
						agentAddr: sender,
						varbinds: varbindsIn(text.slice(text.indexOf('\n') + 1)),
					};
		const trap = toTrap(pdu, enterprise === undefined ? 2 : 1, sender);
		return trap && !isStandardTrap(trap) ? trapEvent(trap, receivedAt) : undefined;
	}

	return {
		take(line: string): HardwareEvent | undefined {
			const event = isTrapLine(line) ? finish() : undefined;
			// What follows a word of its own belongs to that, such as a file that it could not write at its end.
			if (lines.length > 0 || isTrapLine(line)) lines.push(line);
			if (lines.length > mostLines) lines = [];
			return event;
		},
		isInside: () => lines.length > 0,
		end: finish,
	};
}
