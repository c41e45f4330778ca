import type {HardwareType} from './hardware.ts';

/** Lenovo's and IBM's later event codes: their last letter says how bad it is, and whether anybody is needed. */
const laterCode = /\bFQ[XP][A-Z]{2,5}\d{4}([IFWGJLMN])\b/;

const stateOfLetter: Readonly<Record<string, 'degraded' | 'failed'>> = {
	G: 'degraded',
	J: 'degraded',
	L: 'failed',
	M: 'failed',
	N: 'failed',
};

/** Without a state nobody is needed. */
export type LaterCode = {readonly code: string; readonly state: 'degraded' | 'failed' | undefined};

export function laterCodeIn(text: string): LaterCode | undefined {
	const [code, letter = ''] = laterCode.exec(text) ?? [];
	return code === undefined ? undefined : {code, state: stateOfLetter[letter]};
}

/** What management modules write into their logs besides hardware: people, networks, programs, and the log itself. */
const otherMatters = [
	/\b(login|logon|logout|logoff|log-(in|on|out|off))s?\b/i,
	/\b(unable|failed|attempt(s|ed)?) to log (in|on)\b|\blog(ged)? (in|on|out|off) (to|from|via|using|by|at)\b/i,
	/\b(unauthori[sz]ed|authenticat\w+|credentials?|passwords?|user accounts?|(remote|user|web|ssh) sessions?)\b/i,
	/\blogs?( area)? (is |was |were |has been |have been |almost |nearly |reset\/|\d+ ?% )*(cleared|full|reset)\b/i,
	/\b(certificates?|licen[cs]es?)\b/i,
	/\b(intrusion|chassis is (open|closed)|cover (is |was )?(open|opened|removed|closed))\b/i,
	/\bfirmware (was |has been |is being )?(updat|upgrad|flash|activat)/i,
	/\b(job|task) (\S+ )?(failed|was cancell?ed|completed)/i,
	/\b(configuration|setting)s? (was |were |has been |have been )?changed\b/i,
];
/** Of the machine and its programs: somebody has to look, and it is not IBM. */
const ofCustomer = [
	/\bwatchdog\d*\b/i,
	/\b(OS|operating system)\b.*\b(stop|stopped|crash\w*|shut ?down|time-?out|timed out|hang|panic)\b/i,
	/\b(system|host) power (is |was )?(lost|off)\b/i,
];
/** Said of a part, too, and no fault of it. */
const ofParts: Partial<Record<HardwareType, RegExp>> = {
	network: /\blink\b.*\b(is |went )?down\b/i,
	cpu: /\b(system )?cpu resetting\b/i,
};

/** IBM's reference codes stand for a fault, whichever part they are about. */
const referenceCode = /\b(?:B[0-9A-F]|11)[0-9A-F]{6}\b/;

/** Who is needed: nobody, the customer, or undefined where the words do not tell. A warning that names no part is not IBM's. */
export function neededBy(text: string, type: HardwareType | undefined, isWarning: boolean): 'nobody' | 'customer' | undefined {
	const words = text.slice(0, 1000);
	const later = laterCodeIn(words);
	if (later) return later.state === undefined ? 'nobody' : undefined;
	if (referenceCode.test(words)) return undefined;
	if (type !== undefined) return ofParts[type]?.test(words) ? 'nobody' : undefined;
	if (otherMatters.some(matter => matter.test(words))) return 'nobody';
	return isWarning || ofCustomer.some(matter => matter.test(words)) ? 'customer' : undefined;
}

/** The same as attributes of an event. */
export const needs = {
	nobody: {'callhome.serviceable': false},
	customer: {'callhome.serviceable': true, 'callhome.call_home_candidate': false},
} as const;

const inputLost = /\b(input|AC)\b.*\blost\b|\blost\b.*\binput\b|\bpower lost\b/i;
const predicted = /\b(PFA|predict\w*)\b|\bcorrectable\b.*\b(rate|limit|threshold)\b.*\b(exceeded|reached)\b/i;

/** A power supply without power from outside is a matter of the room. */
export const isInputLost = (text: string, type: HardwareType | undefined): boolean =>
	type === 'power_supply' && inputLost.test(text.slice(0, 1000));

export const isPredicted = (text: string): boolean => predicted.test(text.slice(0, 1000));
