import {hash} from 'node:crypto';
import {type HardwareEvent, Severity} from '../../event.ts';
import {partIn} from '../../hardware.ts';

/** A state, and an error type, for what `ipmitool sel elist` prints of an event; the first that fits. */
const meanings: readonly (readonly [RegExp, string | undefined, string?])[] = [
	[/uncorrectable ecc|uncorrectable error/i, 'failed', 'uncorrected'],
	[/correctable ecc logging limit/i, 'predicted_failure', 'corrected_limit'],
	[/correctable ecc|correctable error/i, undefined, 'corrected'],
	[/ac lost|input lost/i, 'degraded', 'input_lost'],
	[/predictive failure/i, 'predicted_failure'],
	[/redundancy (lost|degraded)/i, 'degraded', 'redundancy_lost'],
	[/non-critical going/i, 'degraded'],
	[/critical going|non-recoverable going/i, 'failed'],
	[/drive fault|in failed array|failure detected|\bierr\b|thermal trip/i, 'failed'],
];

const time = /^(\d{2})\/(\d{2})\/(\d{4}) (\d{2}):(\d{2}):(\d{2})/;

/** Undefined before the clock of the module was set. Its clock has no zone: UTC is as good a guess as any. */
function timeIn(date: string, clock: string): number | undefined {
	const [, month = '', day = '', year = '', ...rest] = time.exec(`${date} ${clock}`) ?? [];
	const at = Date.parse(`${year}-${month}-${day}T${rest.join(':')}Z`);
	return Number.isNaN(at) ? undefined : at;
}

/**
A line of a dump of a System Event Log, as ipmitool prints it: `18 | 01/27/2015 | 11:41:08 | Memory | Correctable ECC |
Asserted | CPU 0 DIMM 8`, with date and time as one field where the clock was not set. Undefined for what is none.
*/
export function readSelLine(line: string, host: string, receivedAt: number): HardwareEvent | undefined {
	const [id = '', ...fields] = line.split('|').map(field => field.trim());
	if (!/^[0-9a-f]{1,8}$/i.test(id)) return undefined;
	const isTimed = /^\d{2}\/\d{2}\/\d{4}$/.test(fields[0] ?? '');
	const occurredAt = isTimed ? timeIn(fields[0] ?? '', fields[1] ?? '') : undefined;
	const [sensor = '', what = '', direction = '', extra = ''] = fields.slice(isTimed ? 2 : 1);
	if (sensor === '' || !/^(de)?asserted$/i.test(direction)) return undefined;
	const [, state, errorType] = meanings.find(([expression]) => expression.test(what)) ?? [];
	const part = partIn(`${sensor.replace(/#0x[0-9a-f]+$/i, '')} ${extra}`);
	const isOver = /^de/i.test(direction) && state !== undefined;
	const name = [sensor, extra].filter(text => text !== '').join(' ');
	return {
		id: hash('sha256', JSON.stringify([host, line]), 'hex').slice(0, 32),
		name: 'callhome.hardware.alert',
		occurredAt: occurredAt ?? receivedAt,
		receivedAt,
		severity: isOver || state === undefined ? Severity.info : state === 'failed' ? Severity.error : Severity.warn,
		message: `${name}: ${what} ${direction}`,
		resource: {'host.name': host},
		attributes: {
			'hw.name': part ? `${part.type} ${part.place}`.trim() : sensor,
			...(part && {'hw.type': part.type}),
			...(state !== undefined && {'hw.state': isOver ? 'ok' : state}),
			...(errorType !== undefined && {'error.type': errorType}),
			'callhome.host.sel.raw': line.slice(0, 1000),
		},
		source: 'replay/sel',
	};
}
