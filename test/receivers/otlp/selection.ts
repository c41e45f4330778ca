import test from 'ava';
import fc from 'fast-check';
import {compilePattern} from '../../../src/receivers/otlp/pattern.ts';
import {createReaders} from '../../../src/receivers/otlp/reading.ts';
import {logRulesOf, metricRulesOf, selectionSchema} from '../../../src/receivers/otlp/selection.ts';
import {protobufOf} from '../../helpers/otlp/encodings.ts';
import {LogsDataSchema} from '../../helpers/otlp/logs_pb.ts';
import {receivedAt} from '../../helpers/otlp/requests.ts';

const text = (value: string) => ({value: {case: 'stringValue' as const, value}});

type RecordInit = {
	readonly eventName?: string;
	readonly severityNumber?: number;
	readonly attributes?: Readonly<Record<string, string>>;
};

/** How many of the records the selection takes. */
function selectedBy(config: unknown, records: readonly RecordInit[], site = 'zurich'): number {
	const logRecords = records.map(({attributes = {}, ...rest}) => ({
		...rest,
		attributes: Object.entries(attributes).map(([key, value]) => ({key, value: text(value)})),
	}));
	const resource = {attributes: [{key: 'site', value: text(site)}]};
	const body = protobufOf(LogsDataSchema, {resourceLogs: [{resource, scopeLogs: [{logRecords}]}]});
	return createReaders(selectionSchema.parse(config)).logs.protobuf(body, receivedAt).events.length;
}

test('by default: hardware alerts by any of their three names, and errors about hardware', t => {
	const name = 'callhome.hardware.alert';
	const taken: RecordInit[] = [
		{eventName: name},
		{attributes: {'event.name': name}},
		{attributes: {'otel.event.name': name}},
		{severityNumber: 17, attributes: {'hw.id': 'a'}},
		{severityNumber: 24, attributes: {'hw.type': 'fan'}},
	];
	const left: RecordInit[] = [
		{},
		{eventName: 'callhome.hardware.alerts'},
		{eventName: 'other', attributes: {'event.name': name}},
		{severityNumber: 16, attributes: {'hw.id': 'a'}},
		{severityNumber: 24, attributes: {'hw.name': 'a'}},
	];
	t.is(selectedBy(undefined, taken), taken.length);
	t.is(selectedBy({}, left), 0);
});

test('a rule of the config is added, and replaces or removes the default of its name', t => {
	const records: RecordInit[] = [
		{eventName: 'callhome.hardware.alert'},
		{severityNumber: 17, attributes: {'hw.id': 'a'}},
		{eventName: 'vendor.fault'},
	];
	t.is(selectedBy({logs: {mine: {event_name: 'vendor.fault'}}}, records), 3);
	t.is(selectedBy({logs: {hardware_alert: null}}, records), 1);
	t.is(selectedBy({logs: {hardware_error: {min_severity: 'fatal'}}}, records), 1);
	t.is(selectedBy({logs: {hardware_alert: null, hardware_error: null}}, records), 0);
	t.is(logRulesOf(selectionSchema.parse({logs: {hardware_error: null, mine: {event_name: 'a'}}})).length, 4);
	t.is(metricRulesOf(selectionSchema.parse({metrics: {hardware_status: null}})).length, 3);
});

test('all conditions of a rule must hold', t => {
	const rule = {
		event_name: 'vendor.fault.*',
		min_severity: 'warn',
		attributes: {'vendor.code': ['E*', 'F1']},
		any_attribute: ['hw.id', 'slot'],
		resource: {site: ['zurich', 'basel']},
	};
	const record = {eventName: 'vendor.fault.fan', severityNumber: 13, attributes: {'vendor.code': 'E12', slot: '3'}};
	const by = (change: object, site?: string) => selectedBy({logs: {mine: rule}}, [{...record, ...change}], site);
	t.is(by({}), 1);
	t.is(by({}, 'basel'), 1);
	t.is(by({}, 'bern'), 0);
	t.is(by({eventName: 'vendor.fault'}), 0);
	t.is(by({severityNumber: 12}), 0);
	t.is(by({attributes: {'vendor.code': 'D12', slot: '3'}}), 0);
	t.is(by({attributes: {'vendor.code': 'F1', 'hw.id': ''}}), 1);
	t.is(by({attributes: {'vendor.code': 'F1'}}), 0);
});

/** The faults that a config has, each as `path: message`. */
const faultsOf = (config: unknown): string[] =>
	(selectionSchema.safeParse(config).error?.issues ?? []).map(({path, message}) => `${path.join('.')}: ${message}`);

test('a bad rule is a fault that says where and what to write', t => {
	const faults: readonly [unknown, RegExp][] = [
		[{log: {}}, /Unrecognized key: "log"/],
		[{logs: {a: {eventname: 'x'}}}, /^logs\.a: Unrecognized key: "eventname"/],
		[{logs: {a: {}}}, /^logs\.a: a rule without a condition/],
		[{logs: {a: {min_severity: 'loud'}}}, /^logs\.a\.min_severity: expected trace, debug, info, warn, error, fatal/],
		[{logs: {a: {min_severity: 25}}}, /^logs\.a\.min_severity: .*24/],
		[{logs: {a: {event_name: ''}}}, /^logs\.a\.event_name: .*"\*"/],
		[{logs: {a: {event_name: []}}}, /^logs\.a\.event_name: an empty list/],
		[{logs: {a: {event_name: 'a**b'}}}, /^logs\.a\.event_name: write one "\*"/],
		[{logs: {a: {event_name: 'x'.repeat(1025)}}}, /^logs\.a\.event_name: .*1024/],
		[{logs: {a: {attributes: {'hw.*': 'x'}}}}, /"\*" is for values only/],
		[{logs: {a: {attributes: {}}}}, /^logs\.a\.attributes: name at least one/],
		[{logs: {a: {any_attribute: []}}}, /^logs\.a\.any_attribute: name at least one/],
		[{metrics: {a: {state: 'failed'}}}, /^metrics\.a\.name: /],
		[{metrics: {a: {name: 'x'}}}, /^metrics\.a: a metric rule needs a condition/],
		[{metrics: {a: {name: 'x', growing: false}}}, /^metrics\.a\.growing: expected true/],
		[{metrics: {a: {name: 'x', growing: true, state: 'y'}}}, /^metrics\.a: state and growing exclude/],
		[{metrics: {a: {name: 'x', above: 'y'}}}, /^metrics\.a\.above: /],
	];
	for (const [config, expected] of faults) {
		const found = faultsOf(config);
		t.true(
			found.some(fault => expected.test(fault)),
			`${JSON.stringify(config).slice(0, 60)}: ${found.join(' | ')}`,
		);
	}
});

const bytes = (value: string) => Buffer.from(value);

test('a pattern means the same for text, for bytes and for what a regular expression says', t => {
	const alphabet = fc
		.string({unit: fc.constantFrom('a', 'a', 'b', '*', '*', 'é', '.'), minLength: 1, maxLength: 6})
		.filter(pattern => !pattern.includes('**'));
	const subject = fc.string({unit: fc.constantFrom('a', 'a', 'b', 'é', '.'), maxLength: 6});
	t.notThrows(() =>
		fc.assert(
			fc.property(alphabet, subject, (pattern, value) => {
				const expression = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`, 'u');
				const compiled = compilePattern([pattern]);
				const encoded = bytes(`<${value}>`);
				const matched = [
					compiled.matchesText(value),
					compiled.matchesBytes(encoded, 1, encoded.length - 1),
					compiled.matchesValue(value),
				];
				return matched.every(match => match === expression.test(value));
			}),
			{numRuns: 3000},
		),
	);
});

test('numbers and booleans are compared by their text, and only * matches what has none', t => {
	const matches = (pattern: string | number | boolean, value: Parameters<ReturnType<typeof compilePattern>['matchesValue']>[0]) =>
		compilePattern([String(pattern)]).matchesValue(value);
	t.true(matches(5, 5));
	t.true(matches('1.5', 1.5));
	t.true(matches(true, true));
	t.true(matches('90071992547409*', 9007199254740993n));
	t.false(matches('5', 50));
	t.false(matches('null', null));
	t.true(matches('*', null));
	t.true(matches('*', ['a']));
	t.false(matches('*', undefined));
});

test('a pattern of many wildcards takes one pass over a long text', t => {
	const pattern = compilePattern([`${'*a'.repeat(500)}*b`]);
	const started = performance.now();
	t.false(pattern.matchesText('a'.repeat(200_000)));
	t.true(performance.now() - started < 1000);
});
