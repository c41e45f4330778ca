import {type Attributes, type HardwareEvent, Severity, textOf} from '../event.ts';
import type {ProcessorsConfig} from './config.ts';
import {isTest} from './identify.ts';
import {createMatcher, type Match} from './match.ts';

/** The two questions, in one word: is somebody needed at the machine, and is that somebody IBM? */
export type Verdict = {
	/** call_home: IBM; serviceable: the customer; never: nobody; excluded: whoever, the operator does not want it sent. */
	readonly verdict: 'call_home' | 'serviceable' | 'never' | 'excluded';
	/** How many events it takes before the verdict holds. */
	readonly repeat: number;
	/** Within which time they have to come, in milliseconds; undefined when that does not matter. */
	readonly within?: number | undefined;
};

export const componentStates = ['ok', 'degraded', 'failed', 'predicted_failure', 'needs_cleaning'] as const;
export type ComponentState = (typeof componentStates)[number];

/** The state as the event names it; else as its severity suggests; undefined for what is mere information. */
export function stateOf({measurement, attributes, severity}: HardwareEvent): ComponentState | undefined {
	const named = textOf(attributes, 'hw.state', 'state');
	const state = componentStates.find(word => word === named);
	// A level at 0 says that the state is over. When that was `ok`, something is wrong, and no more is known.
	if (measurement?.kind === 'state' && measurement.value <= 0) return state === 'ok' ? 'degraded' : 'ok';
	if (state) return state;
	if (severity >= Severity.error) return 'failed';
	return severity >= Severity.warn ? 'degraded' : undefined;
}

type Rule = {
	readonly match: Match;
	readonly verdict: Verdict['verdict'];
	readonly repeat?: number;
	readonly within?: number | undefined;
};

const uncorrected = ['uncorrected', 'uncorrectable', 'fatal', 'unrecoverable'];
const corrected = ['corrected', 'correctable', 'recovered'];
/** Air that comes from the room: the room is the customer's. */
const roomAir = ['*mbient*', '*nlet*'];

/**
The built-in table, first match wins; `state` is the event's state. After what Dell SupportAssist, the OpenPower policy
table, the IMM and ppc64-diag do with each class: failed parts, uncorrected errors and predicted failures call home;
redundancy and thresholds do by repetition; wear and the room are the customer's; corrected errors are nobody's. A failed
part of a kind that is not listed calls home: the one report too many is cheaper than the one too few.
*/
export const builtInRules: readonly Rule[] = [
	{match: {'hw.type': 'battery'}, verdict: 'serviceable'},
	{match: {metric: ['hw.battery.*', 'hw.physical_disk.endurance_utilization']}, verdict: 'serviceable'},
	{match: {state: 'needs_cleaning'}, verdict: 'serviceable'},
	{match: {'hw.type': 'power_supply', 'error.type': ['input_lost', 'ac_lost']}, verdict: 'serviceable'},
	{match: {'hw.type': 'physical_disk', 'error.type': 'unreadable'}, verdict: 'call_home'},
	{match: {'error.type': 'unreadable'}, verdict: 'serviceable'},
	// Before the corrected errors: too many of those are a predicted failure, and whoever counts them says so.
	{match: {state: 'predicted_failure'}, verdict: 'call_home'},
	{match: {'error.type': uncorrected, state: ['failed', 'degraded']}, verdict: 'call_home'},
	{match: {metric: 'hw.errors'}, verdict: 'never'},
	{match: {'error.type': corrected}, verdict: 'never'},
	{match: {metric: 'hw.host.ambient_temperature'}, verdict: 'serviceable'},
	{match: {'hw.type': 'temperature', 'hw.sensor_location': roomAir}, verdict: 'serviceable'},
	{match: {'hw.type': ['temperature', 'voltage'], state: ['failed', 'degraded']}, verdict: 'call_home', repeat: 2},
	{match: {state: 'degraded'}, verdict: 'call_home', repeat: 2},
	{match: {state: 'failed'}, verdict: 'call_home'},
];

const excluded: Verdict = {verdict: 'excluded', repeat: 1};
const never: Verdict = {verdict: 'never', repeat: 1};
const serviceable: Verdict = {verdict: 'serviceable', repeat: 1};
const callHome: Verdict = {verdict: 'call_home', repeat: 1};

/**
A producer that knows better says so: management modules tell themselves what is serviceable. What they leave open, the
table answers, for serviceable does not mean that it calls home.
*/
function withProducer(attributes: Attributes, fromTable: Verdict): Verdict {
	const isServiceable = textOf(attributes, 'callhome.serviceable');
	const isCandidate = textOf(attributes, 'callhome.call_home_candidate');
	if (isCandidate === 'true') return callHome;
	if (isServiceable === 'false') return never;
	if (isCandidate === 'false') return isServiceable === 'true' || fromTable.verdict !== 'never' ? serviceable : never;
	return isServiceable === 'true' && fromTable.verdict === 'never' ? serviceable : fromTable;
}

export type Classify = (event: HardwareEvent) => Verdict;

/** The operator's exclusions and rules, then the producer's own word, then the built-in table. A test is to arrive, whatever its class. */
export function createClassify(
	rules: ProcessorsConfig['serviceability'],
	isExcluded: (event: HardwareEvent) => boolean = () => false,
): Classify {
	const compile = ({match, verdict, repeat = 1, within}: Rule) => ({
		matches: createMatcher(match),
		outcome: {verdict, repeat, ...(within !== undefined && {within})} satisfies Verdict,
	});
	const own = rules.map(compile);
	const builtIn = builtInRules.map(compile);
	return function classify(event) {
		if (isTest(event)) return callHome;
		if (isExcluded(event)) return excluded;
		const seen = {
			...event.attributes,
			state: stateOf(event) ?? 'information',
			metric: event.measurement?.metric ?? 'none',
			'event.name': event.name,
		};
		const fromOperator = own.find(({matches}) => matches(seen))?.outcome;
		const fromTable = builtIn.find(({matches}) => matches(seen))?.outcome ?? never;
		return fromOperator ?? withProducer(event.attributes, fromTable);
	};
}
