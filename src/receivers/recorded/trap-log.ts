import {hash} from 'node:crypto';
import {type HardwareEvent, Severity} from '../../event.ts';

/** IMMALERT-MIB 2.6. */
const enterprise = '1.3.6.1.4.1.2.6.158.5';
const trapOid = '1.3.6.1.6.3.1.1.4.1.0';

/** altPriority: critical, non-critical, system, recovery. */
const priorities: Readonly<Record<string, {readonly severity: number; readonly state?: string}>> = {
	0: {severity: Severity.fatal, state: 'failed'},
	2: {severity: Severity.warn, state: 'degraded'},
	4: {severity: Severity.info},
	8: {severity: Severity.info, state: 'ok'},
};

/** altServiceable: nobody, IBM, the customer. */
const verdicts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
	0: {'callhome.serviceable': 'false'},
	1: {'callhome.serviceable': 'true', 'callhome.call_home_candidate': 'true'},
	2: {'callhome.serviceable': 'true', 'callhome.call_home_candidate': 'false'},
};

const head = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}) (\S+) \[/;
export const isTrapHead = (line: string): boolean => head.test(line);

const unquoted = (text: string): string => text.replace(/^[A-Za-z0-9-]+: ?/, '').replace(/^"(.*)"$/s, '$1');

/** The varbinds of a line as snmptrapd writes them with `-On`: `OID = TYPE: value`, with tabs between them. */
function varbindsIn(line: string): ReadonlyMap<string, string> {
	const pairs = line.split('\t').map(text => /^\.?([\d.]+) = (.*)$/s.exec(text.trim()));
	return new Map(pairs.flatMap(match => (match ? [[match[1] ?? '', unquoted(match[2] ?? '')] as const] : [])));
}

/** Two lines of the log of snmptrapd: who and when, and the varbinds. Undefined for what is no alert of an IMM. */
export function readTrap(heading: string, line: string, receivedAt: number): HardwareEvent | undefined {
	const [, date = '', clock = '', host = ''] = head.exec(heading) ?? [];
	const varbinds = varbindsIn(line);
	const oid = unquoted(varbinds.get(trapOid) ?? '').replace(/^\./, '');
	if (!oid.startsWith(`${enterprise}.`)) return undefined;
	const text = (arc: number) => varbinds.get(`${enterprise}.1.${arc}`) ?? varbinds.get(`${enterprise}.1.${arc}.0`) ?? '';
	const {severity, state} = priorities[text(8)] ?? {severity: Severity.warn};
	const at = Date.parse(`${date}T${clock}Z`);
	const label = /^([0-9A-Z]{4})-?([0-9A-Z]{3})$/i.exec(text(22).trim());
	return {
		id: hash('sha256', JSON.stringify([heading, line]), 'hex').slice(0, 32),
		name: 'callhome.hardware.alert',
		occurredAt: Number.isNaN(at) ? receivedAt : at,
		receivedAt,
		severity,
		message: text(9) || `trap ${oid}`,
		resource: {
			'host.name': host,
			...(label &&
				text(6) !== '' && {
					'callhome.system.type': label[1] ?? '',
					'callhome.system.model': label[2] ?? '',
					'callhome.system.serial_number': text(6).trim(),
				}),
		},
		attributes: {
			...(text(18) !== '' && {'callhome.event.code': text(18)}),
			...(state !== undefined && {'hw.state': state}),
			...verdicts[text(19)],
			...(text(20) === '1' && {'callhome.test': 'true'}),
		},
		source: 'replay/trap',
	};
}
