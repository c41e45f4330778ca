import {Severity} from '../../event.ts';
import type {HardwareType} from '../../hardware.ts';

export type State = 'ok' | 'degraded' | 'failed' | 'predicted_failure';

/** What a PerceivedSeverity says (CIM_AlertIndication). 0 (unknown) and 1 (other) say nothing. */
export const perceived: Readonly<Record<number, {readonly severity: number; readonly state?: State}>> = {
	2: {severity: Severity.info},
	3: {severity: Severity.warn, state: 'degraded'},
	4: {severity: Severity.error, state: 'degraded'},
	5: {severity: Severity.error, state: 'failed'},
	6: {severity: Severity.fatal, state: 'failed'},
	7: {severity: Severity.fatal, state: 'failed'},
};
/** From here on an alert demands action now. */
export const major = 5;

export const previousAlertCleared = 59;
/** An AlertType. */
export const securityAlert = 8;

type Cause = {
	readonly type?: HardwareType;
	readonly errorType?: string;
	readonly verdict?: 'call_home' | 'serviceable' | 'never';
};

/** ProbableCause, as far as it tells the kind of the part, the fault, or that there is none of the hardware. */
export const probableCauses: Readonly<Record<number, Cause>> = {
	15: {type: 'enclosure', errorType: 'intrusion', verdict: 'never'},
	33: {verdict: 'never'}, // Out of memory: of a program.
	36: {type: 'power_supply'},
	38: {type: 'cpu'},
	51: {type: 'temperature'},
	60: {verdict: 'never'}, // Login attempts failed.
	62: {verdict: 'never'}, // Security.
	65: {verdict: 'never'}, // Unauthorized access.
	86: {type: 'physical_disk'},
	88: {errorType: 'redundancy_lost'},
	89: {type: 'power_supply'},
	91: {type: 'battery'},
	92: {type: 'battery'},
	93: {type: 'power_supply', errorType: 'input_lost', verdict: 'serviceable'},
	94: {type: 'fan'},
	96: {errorType: 'unreadable', verdict: 'serviceable'},
	106: {type: 'memory', errorType: 'configuration', verdict: 'serviceable'},
};

/** The producer's flags, as the processors read them. */
export const verdicts = {
	call_home: {'callhome.serviceable': true, 'callhome.call_home_candidate': true},
	serviceable: {'callhome.serviceable': true, 'callhome.call_home_candidate': false},
	never: {'callhome.serviceable': false},
} as const;
