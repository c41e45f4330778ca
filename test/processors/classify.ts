import test from 'ava';
import {Severity} from '../../src/event.ts';
import {type ComponentState, createClassify, stateOf, type Verdict} from '../../src/processors/classify.ts';
import {serviceabilityRuleSchema} from '../../src/processors/config.ts';
import {countOf, eventOf, levelOf} from '../helpers/decisions.ts';

const classify = createClassify([]);

/** What management modules and support agents do with each class: Y opens a case, R on repetition, C the customer, N nobody. */
const verdicts: Record<string, Verdict> = {
	Y: {verdict: 'call_home', repeat: 1},
	R: {verdict: 'call_home', repeat: 2},
	C: {verdict: 'serviceable', repeat: 1},
	N: {verdict: 'never', repeat: 1},
};

const classes: [title: string, letter: keyof typeof verdicts, attributes: Record<string, string>, severity?: number][] = [
	['CPU failed', 'Y', {'hw.type': 'cpu', 'hw.state': 'failed'}],
	['error of a part without a type', 'Y', {'hw.id': 'x'}],
	['uncorrectable memory', 'Y', {'hw.type': 'memory', 'error.type': 'uncorrected'}],
	['uncorrectable memory, reported as a warning', 'Y', {'hw.type': 'memory', 'error.type': 'uncorrectable'}, Severity.warn],
	['correctable limit reached on a DIMM', 'Y', {'hw.type': 'memory', 'hw.state': 'predicted_failure', 'error.type': 'corrected'}],
	['memory training failed', 'Y', {'hw.type': 'memory', 'hw.state': 'failed'}],
	['drive fault', 'Y', {'hw.type': 'physical_disk', 'hw.state': 'failed'}],
	['predictive drive failure', 'Y', {'hw.type': 'physical_disk', 'hw.state': 'predicted_failure'}, Severity.warn],
	['drive that does not tell its SMART values', 'Y', {'hw.type': 'physical_disk', 'error.type': 'unreadable'}],
	['power supply failed', 'Y', {'hw.type': 'power_supply', 'hw.state': 'failed'}],
	['power supply without mains', 'C', {'hw.type': 'power_supply', 'error.type': 'input_lost', 'hw.state': 'failed'}],
	['redundancy of power lost', 'R', {'hw.type': 'power_supply', 'hw.state': 'degraded'}],
	['redundancy of fans lost', 'R', {'hw.type': 'fan', 'hw.state': 'degraded'}],
	['array without a drive', 'R', {'hw.type': 'logical_disk', 'hw.state': 'degraded'}],
	['fan failed', 'Y', {'hw.type': 'fan', 'hw.state': 'failed'}],
	['warm', 'R', {'hw.type': 'temperature', 'hw.state': 'degraded'}, Severity.warn],
	['voltage out of its limits', 'R', {'hw.type': 'voltage'}, Severity.warn],
	['hot', 'R', {'hw.type': 'temperature', 'hw.state': 'failed'}],
	['hot room', 'C', {'hw.type': 'temperature', 'hw.state': 'failed', 'hw.sensor_location': 'Ambient front'}],
	['sensor that cannot be read', 'C', {'hw.type': 'memory', 'error.type': 'unreadable'}],
	['battery low', 'C', {'hw.type': 'battery', 'hw.state': 'degraded'}],
	['battery about to fail', 'C', {'hw.type': 'battery', 'hw.state': 'predicted_failure'}],
	['tape drive to be cleaned', 'C', {'hw.type': 'tape_drive', 'hw.state': 'needs_cleaning'}, Severity.warn],
	['single corrected error', 'N', {'hw.type': 'memory', 'error.type': 'corrected'}, Severity.warn],
	['corrected error in a record of severity error', 'N', {'hw.type': 'memory', 'error.type': 'corrected'}],
	['mere information', 'N', {'hw.type': 'enclosure', 'hw.id': 'lid'}, Severity.info],
	['information about an uncorrected error of old', 'N', {'hw.type': 'memory', 'error.type': 'uncorrected'}, Severity.info],
];

for (const [title, letter, attributes, severity = Severity.error] of classes) {
	test(`${title}: ${letter}`, t => t.deepEqual(classify(eventOf({attributes, severity})), verdicts[letter]));
}

test('growing error counts: uncorrected ones call home, all others never', t => {
	const verdictOf = (errorType: string, severity: number) => classify(countOf('dimm-1', errorType, 5, {severity})).verdict;
	t.is(verdictOf('uncorrected', Severity.error), 'call_home');
	t.is(verdictOf('corrected', Severity.warn), 'never');
	t.is(verdictOf('bad_sector', Severity.warn), 'never');
});

test("wear of a drive is the customer's, though it is a level like others", t => {
	const wear = levelOf('drive-1', 'degraded', 1);
	const measurement = wear.measurement && {...wear.measurement, metric: 'hw.physical_disk.endurance_utilization'};
	t.deepEqual(classify({...wear, ...(measurement ? {measurement} : {})}), verdicts.C);
});

const states: [named: string | undefined, severity: number, level: number | undefined, state: ComponentState | undefined][] = [
	['failed', Severity.info, undefined, 'failed'],
	['ok', Severity.error, undefined, 'ok'],
	['present', Severity.error, undefined, 'failed'],
	[undefined, Severity.fatal, undefined, 'failed'],
	[undefined, Severity.warn, undefined, 'degraded'],
	[undefined, Severity.info, undefined, undefined],
	['failed', Severity.error, 1, 'failed'],
	['failed', Severity.error, 0, 'ok'],
	['ok', Severity.info, 1, 'ok'],
	['ok', Severity.info, 0, 'degraded'],
];

for (const [named, severity, level, state] of states) {
	test(`state ${named}, severity ${severity}, level ${level} is ${state}`, t => {
		const attributes: Record<string, string> = named === undefined ? {} : {'hw.state': named};
		const measurement =
			level === undefined ? undefined : ({metric: 'hw.status', series: 's', value: level, kind: 'state'} as const);
		t.is(stateOf(eventOf({severity, attributes, ...(measurement ? {measurement} : {})})), state);
	});
}

const words: [title: string, said: Record<string, string>, type: string, letter: keyof typeof verdicts][] = [
	['a candidate calls home though the table says never', {'callhome.call_home_candidate': 'true'}, 'corrected', 'Y'],
	['what is not serviceable never does', {'callhome.serviceable': 'false'}, 'failed', 'N'],
	[
		"serviceable and no candidate is the customer's",
		{'callhome.serviceable': 'true', 'callhome.call_home_candidate': 'false'},
		'failed',
		'C',
	],
	['serviceable alone leaves the second question to the table', {'callhome.serviceable': 'true'}, 'failed', 'Y'],
	['serviceable alone does not call home', {'callhome.serviceable': 'true'}, 'corrected', 'C'],
	['no candidate alone: the table says whether anybody is needed', {'callhome.call_home_candidate': 'false'}, 'failed', 'C'],
	['no candidate, and nobody needed', {'callhome.call_home_candidate': 'false'}, 'corrected', 'N'],
];

for (const [title, said, kind, letter] of words) {
	test(`the producer's word: ${title}`, t => {
		const attributes = {
			'hw.type': 'memory',
			...(kind === 'failed' ? {'hw.state': 'failed'} : {'error.type': 'corrected'}),
			...said,
		};
		t.deepEqual(classify(eventOf({attributes})), verdicts[letter]);
	});
}

test("the operator's rules come before the producer and the table, in their order", t => {
	const rules = [
		{match: {'hw.type': 'fan', state: 'failed'}, verdict: 'never'},
		{match: {'hw.type': ['fan', 'battery']}, verdict: 'call_home', repeat: 3},
	].map(rule => serviceabilityRuleSchema.parse(rule));
	const configured = createClassify(rules);
	const fan = (state: string) =>
		eventOf({attributes: {'hw.type': 'fan', 'hw.state': state, 'callhome.call_home_candidate': 'true'}});
	t.is(configured(fan('failed')).verdict, 'never');
	t.deepEqual(configured(fan('degraded')), {verdict: 'call_home', repeat: 3});
	t.is(configured(eventOf({attributes: {'hw.type': 'battery'}})).verdict, 'call_home');
});

test('a test goes out whatever its class and the rules say', t => {
	const event = eventOf({severity: Severity.info, attributes: {'callhome.test': true}});
	t.deepEqual(createClassify([{match: {}, verdict: 'never', repeat: 1}])(event), verdicts.Y);
});
