import {type Attributes, type HardwareEvent, Severity, textOf} from '../event.ts';
import type {ProcessorsConfig} from './config.ts';
import {createMatcher, type Match} from './match.ts';

/** The two questions, in one word: is somebody needed at the machine, and is that somebody IBM? */
export type Verdict = {
	/** call_home: IBM; serviceable: the customer; never: nobody. */
	readonly verdict: 'call_home' | 'serviceable' | 'never';
	/** How many events it takes before the verdict holds. */
	readonly repeat: number;
};

export const componentStates = ['ok', 'degraded', 'failed', 'predicted_failure', 'needs_cleaning'] as const;
export type ComponentState = (typeof componentStates)[number];

/** The state as the event names it; else as its severity suggests; undefined for what is mere information. */
export function stateOf(event: HardwareEvent): ComponentState | undefined {
	if (event.measurement?.kind === 'state' && event.measurement.value <= 0) return 'ok';
	const named = textOf(event.attributes, 'hw.state', 'state');
	const state = componentStates.find(word => word === named);
	if (state) return state;
	if (event.severity >= Severity.error) return 'failed';
	return event.severity >= Severity.warn ? 'degraded' : undefined;
}

type Rule = {readonly match: Match; readonly verdict: Verdict['verdict']; readonly repeat?: number};

/**
The built-in table, first match wins; `state` is the event's state. After what Dell SupportAssist, the OpenPower policy
table, the IMM and ppc64-diag do with each class: uncorrected and failed parts call home, redundancy and thresholds by
repetition, corrected errors and customer's power never. A failed part of a kind that is not listed calls home: the one
report too many is cheaper than the one too few.
*/
export const builtInRules: readonly Rule[] = [
	{match: {'hw.type': 'battery'}, verdict: 'serviceable'},
	{match: {state: 'needs_cleaning'}, verdict: 'serviceable'},
	{match: {metric: 'hw.errors', 'error.type': ['uncorrected', 'uncorrectable', 'fatal', 'unrecoverable']}, verdict: 'call_home'},
	{match: {metric: 'hw.errors'}, verdict: 'never'},
	{match: {'error.type': ['corrected', 'correctable', 'recovered']}, verdict: 'never'},
	{match: {'hw.type': 'temperature', state: ['failed', 'degraded']}, verdict: 'serviceable', repeat: 2},
	{match: {'hw.type': 'voltage', state: ['failed', 'degraded']}, verdict: 'call_home', repeat: 2},
	{match: {state: 'degraded'}, verdict: 'call_home', repeat: 2},
	{match: {state: ['failed', 'predicted_failure']}, verdict: 'call_home'},
];

/** A producer that knows better says so: management modules tell themselves what is serviceable. */
function verdictOfProducer(attributes: Attributes): Verdict | undefined {
	const serviceable = textOf(attributes, 'callhome.serviceable');
	const candidate = textOf(attributes, 'callhome.call_home_candidate');
	if (candidate === 'true') return {verdict: 'call_home', repeat: 1};
	if (serviceable === 'false') return {verdict: 'never', repeat: 1};
	if (serviceable === 'true') return {verdict: candidate === 'false' ? 'serviceable' : 'call_home', repeat: 1};
	return candidate === 'false' ? {verdict: 'serviceable', repeat: 1} : undefined;
}

export type Classify = (event: HardwareEvent) => Verdict;

/** The operator's rules, then the producer's own word, then the built-in table. */
export function createClassify(rules: ProcessorsConfig['serviceability']): Classify {
	const compile = ({match, verdict, repeat = 1}: Rule) => ({
		matches: createMatcher(match),
		outcome: {verdict, repeat} satisfies Verdict,
	});
	const own = rules.map(compile);
	const builtIn = builtInRules.map(compile);
	return function classify(event) {
		const seen = {
			...event.attributes,
			state: stateOf(event) ?? 'information',
			metric: event.measurement?.metric ?? 'none',
			'event.name': event.name,
		};
		const fromOperator = own.find(({matches}) => matches(seen))?.outcome;
		return (
			fromOperator ??
			verdictOfProducer(event.attributes) ??
			builtIn.find(({matches}) => matches(seen))?.outcome ?? {verdict: 'never', repeat: 1}
		);
	};
}
