import {hash} from 'node:crypto';
import {laterCodeIn, neededBy} from '../../alert-words.ts';
import {type Attributes, type HardwareEvent, Severity} from '../../event.ts';
import type {HardwareType} from '../../hardware.ts';
import {readEventId, type SensorEvent} from '../../sensor-codes.ts';
import {type Instance, isPath, propertyOf, textOf} from './instance.ts';
import {namedPart} from './part.ts';
import {major, perceived, previousAlertCleared, probableCauses, type State, securityAlert, verdicts} from './tables.ts';

const limits = {text: 4000, properties: 60, entries: 50};
const dayMillis = 86_400_000;
const year2000 = Date.UTC(2000, 0, 1);

const digest = (parts: readonly unknown[]): string => hash('sha256', JSON.stringify(parts), 'hex').slice(0, 32);

/**
Unix milliseconds of `yyyymmddhhmmss.mmmmmmsutc`, where utc is in minutes; unknown digits are asterisks. Undefined for an
interval, which ends in `:000`, and for what is no date.
*/
export function millisOfCimTime(text: string): number | undefined {
	const match = /^(\d{4})(\d{2})(\d{2})(\d{2}|\*{2})(\d{2}|\*{2})(\d{2}|\*{2})\.([\d*]{6})([+-])(\d{3}|\*{3})$/.exec(text);
	if (!match) return undefined;
	const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0, micros = 0] = match
		.slice(1, 8)
		.map(digits => Number(digits.replaceAll('*', '0')));
	if (month < 1 || month > 12 || day < 1 || day > 31 || hours > 23 || minutes > 59 || seconds > 60) return undefined;
	const offset = Number(match[9]?.replaceAll('*', '0')) * (match[8] === '-' ? -1 : 1);
	return Date.UTC(year, month - 1, day, hours, minutes - offset, seconds, Math.trunc(micros / 1000));
}

/** A time before 2000 or more than a day ahead tells of the module's clock, not of the event: then our own time counts. */
function occurredAtOf(time: string, receivedAt: number): number {
	const millis = millisOfCimTime(time);
	return millis !== undefined && millis >= year2000 && millis <= receivedAt + dayMillis ? millis : receivedAt;
}

const numberIn = (text: string): number | undefined => (/^\d{1,9}$/.test(text) ? Number(text) : undefined);

export type Received = {
	readonly indication: Instance;
	/** The monitored system, as the configuration or the indication names it. */
	readonly resource: Attributes;
	readonly receivedAt: number;
};

/** What an alert indication says of the hardware. Every property may be missing, and its class may be any of a vendor. */
export function toHardwareEvent({indication, resource, receivedAt}: Received): HardwareEvent {
	const text = (name: string) => textOf(indication, name);
	const message = text('Message') || text('Description') || text('ProbableCauseDescription');
	const eventId = [text('EventID'), text('MessageID')].map(readEventId).find(found => found !== undefined);
	const cause = probableCauses[numberIn(text('ProbableCause')) ?? -1] ?? {};
	const state = stateOf(text, eventId?.event, message);
	const known = cause.type ?? eventId?.event?.type;
	// Assertion and deassertion of the same sensor differ in the first byte alone.
	const part = namedPart(message, text('AlertingManagedElement'), known, eventId?.id.slice(2) || text('MessageID') || 'unnamed');
	const time = text('EventTime') || text('IndicationTime');
	const verdict = eventId
		? verdictOf(text, eventId.event, cause.verdict)
		: (cause.verdict ?? verdictOfWords(text, message, part.type, state));
	const errorType = cause.errorType ?? eventId?.event?.errorType;
	return {
		id: idOf(indication, resource, millisOfCimTime(time) === undefined ? '' : time, receivedAt),
		name: 'callhome.hardware.alert',
		occurredAt: occurredAtOf(time, receivedAt),
		receivedAt,
		severity: severityOf(state, numberIn(text('PerceivedSeverity'))),
		message: (message || `CIM indication ${text('MessageID') || indication.className} without a text`).slice(0, 10_000),
		resource,
		attributes: {
			...wordsOf(indication),
			'hw.id': part.id,
			...(part.type && {'hw.type': part.type}),
			...(part.name !== '' && {'hw.name': part.name}),
			...(state && {'hw.state': state}),
			...(errorType && state !== 'ok' && {'error.type': errorType}),
			...((eventId?.id || text('MessageID')) && {'callhome.event.code': eventId?.id || text('MessageID')}),
			...(verdict && state !== 'ok' ? verdicts[verdict] : {}),
		},
		source: 'cim',
	};
}

type Text = (name: string) => string;

/** What the module says of a recovery is sure; the codes of an event id are inferred, and the severity is the coarsest. */
function stateOf(text: Text, inferred: SensorEvent | undefined, message: string): State | undefined {
	const severity = numberIn(text('PerceivedSeverity'));
	if (numberIn(text('ProbableCause')) === previousAlertCleared) return 'ok';
	if (inferred?.state === 'ok') return 'ok';
	if ((severity ?? 2) <= 2 && /\bdeasserted\b/i.test(message)) return 'ok';
	if (inferred && inferred.state !== 'information') return inferred.state;
	const later = laterCodeIn(text('MessageID'));
	if (later?.state) return later.state;
	return perceived[severity ?? -1]?.state;
}

function severityOf(state: State | undefined, number: number | undefined): number {
	if (state === 'ok') return Severity.info;
	const least = state === 'failed' ? Severity.error : state === undefined ? Severity.info : Severity.warn;
	return Math.max(perceived[number ?? -1]?.severity ?? 0, least);
}

/** That nothing is to be done is not concluded from a code whose meaning is inferred, where the module demands action now. */
function verdictOf(text: Text, inferred: SensorEvent | undefined, ofCause: SensorEvent['verdict']): SensorEvent['verdict'] {
	if (ofCause) return ofCause;
	const isUrgent = (numberIn(text('PerceivedSeverity')) ?? 0) >= major;
	return inferred?.verdict === 'never' && isUrgent ? undefined : inferred?.verdict;
}

/** Without an event id the words are all there is. */
function verdictOfWords(
	text: Text,
	message: string,
	type: HardwareType | undefined,
	state: State | undefined,
): SensorEvent['verdict'] {
	const needed = neededBy(`${text('MessageID')} ${message}`, type, state === 'degraded');
	const isSecurity = type === undefined && numberIn(text('AlertType')) === securityAlert;
	return needed === 'nobody' || isSecurity ? 'never' : needed === 'customer' ? 'serviceable' : undefined;
}

const own = ['IndicationIdentifier', 'SequenceContext', 'SequenceNumber'];
const words = [
	'EventID',
	'MessageID',
	'MessageArguments',
	'Message',
	'AlertingManagedElement',
	'PerceivedSeverity',
	'ProbableCause',
];

/**
The same when the indication is delivered again. Numbers of a module that counts from the start after a restart are not
enough, so its words and its time belong to it; one that carries neither number nor time gets the time of its arrival.
*/
function idOf(indication: Instance, {'host.name': host = ''}: Attributes, time: string, receivedAt: number): string {
	const numbers = own.map(name => textOf(indication, name));
	const isNumbered = numbers[0] !== '' || numbers[2] !== '';
	const said = words.map(name => propertyOf(indication, name) ?? '');
	return digest(['cim', host, textOf(indication, 'SystemName'), numbers, said, time || (isNumbered ? '' : receivedAt)]);
}

/** The module's own words under their names in CIM. */
function wordsOf({className, properties}: Instance): Attributes {
	const entries = [...properties].slice(0, limits.properties).flatMap(([name, value]) => {
		if (isPath(value) || !/^\w{1,100}$/.test(name)) return [];
		const shown =
			typeof value === 'string'
				? value.slice(0, limits.text)
				: value.slice(0, limits.entries).map(entry => entry.slice(0, limits.text));
		return [[`cim.${name}`, shown] as const];
	});
	return {...Object.fromEntries(entries), 'cim.class': className.slice(0, 200)};
}
