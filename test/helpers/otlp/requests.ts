import type {MessageInitShape} from '@bufbuild/protobuf';
import fc from 'fast-check';
import type {AnyValueSchema, KeyValueSchema} from './common_pb.ts';
import type {LogRecordSchema, LogsDataSchema} from './logs_pb.ts';
import type {MetricSchema, MetricsDataSchema, NumberDataPointSchema} from './metrics_pb.ts';

/** The clock of the tests. */
export const receivedAt = Date.UTC(2026, 10, 23, 12);
const nowNano = BigInt(receivedAt) * 1_000_000n;

type AnyValueInit = MessageInitShape<typeof AnyValueSchema>;

const value = <Case extends string, Value>(name: Case, arbitrary: fc.Arbitrary<Value>) =>
	arbitrary.map(value => ({value: {case: name, value}}));

const int64 = fc.oneof(
	fc.bigInt({min: -(2n ** 63n), max: 2n ** 63n - 1n}),
	fc.integer().map(BigInt),
	fc.constantFrom(2n ** 53n, 2n ** 53n - 1n),
);
const bytes = (maxLength: number) => fc.uint8Array({maxLength}).map(array => new Uint8Array(array));
const words = fc.constantFrom(
	'E1001',
	'E',
	'W17',
	'failed',
	'predicted_failure',
	'ok',
	'callhome.hardware.alert',
	'vendor.fault.fan',
	'zurich',
	'',
);
export const text = fc.oneof(words, fc.string({unit: 'binary', maxLength: 12}), fc.string({unit: 'binary', maxLength: 200}));

const keys = fc.constantFrom(
	'hw.id',
	'hw.type',
	'hw.state',
	'state',
	'id',
	'name',
	'event.name',
	'otel.event.name',
	'vendor.code',
	'error.type',
	'site',
);
const awkwardKeys = fc.constantFrom('__proto__', 'constructor', '', 'hw.i', 'hw.idd', 'hw_id', 'log.record.uid', 'x'.repeat(130));
const key = fc.oneof({weight: 4, arbitrary: keys}, {weight: 1, arbitrary: awkwardKeys}, {weight: 2, arbitrary: text});

const {anyValue} = fc.letrec<{anyValue: AnyValueInit; keyValue: MessageInitShape<typeof KeyValueSchema>}>(tie => ({
	anyValue: fc.oneof(
		{depthSize: 'small', maxDepth: 4},
		value('stringValue', text),
		value('stringValue', words),
		value('boolValue', fc.boolean()),
		value('intValue', int64),
		value('doubleValue', fc.double()),
		value('bytesValue', bytes(20)),
		fc.constant({}),
		value('arrayValue', fc.record({values: fc.array(tie('anyValue'), {maxLength: 4})})),
		value('kvlistValue', fc.record({values: fc.array(tie('keyValue'), {maxLength: 4})})),
	),
	keyValue: fc.record({key, value: tie('anyValue')}),
}));

export {anyValue};

const keyValue = fc.record({
	key,
	value: fc.oneof({weight: 9, arbitrary: anyValue}, {weight: 1, arbitrary: fc.constant(undefined)}),
});
const attributes = fc.array(keyValue, {maxLength: 8});

const time = fc.oneof(
	fc.bigInt({min: nowNano - 10n ** 15n, max: nowNano + 10n ** 15n}),
	fc.constantFrom(0n, 1n, 2n ** 64n - 1n, 2n ** 63n, nowNano),
);
/** Ids have the right length, none, or, now and then, a wrong one. */
const id = (length: number) =>
	fc
		.oneof(
			{weight: 6, arbitrary: fc.uint8Array({minLength: length, maxLength: length})},
			{weight: 3, arbitrary: fc.constantFrom(new Uint8Array(), new Uint8Array(length))},
			{weight: 1, arbitrary: fc.uint8Array({maxLength: 20})},
		)
		.map(array => new Uint8Array(array));

const logRecord: fc.Arbitrary<MessageInitShape<typeof LogRecordSchema>> = fc.record(
	{
		timeUnixNano: time,
		observedTimeUnixNano: time,
		severityNumber: fc.oneof(fc.integer({min: 0, max: 24}), fc.constantFrom(-1, 99, 300, 2 ** 31 - 1)),
		severityText: text,
		body: anyValue,
		attributes,
		traceId: id(16),
		spanId: id(8),
		flags: fc.integer({min: 0, max: 0xffff}),
		eventName: fc.oneof(text, words),
	},
	{requiredKeys: []},
);

const ofResources = <Scope, Name extends string>(name: Name, scope: fc.Arbitrary<Scope>) =>
	fc.array(
		fc.record({resource: fc.record({attributes}), scopes: fc.array(scope, {maxLength: 3})}).map(({resource, scopes}) => ({
			resource,
			[name]: scopes,
		})),
		{maxLength: 3},
	);

export const logsRequest: fc.Arbitrary<MessageInitShape<typeof LogsDataSchema>> = ofResources(
	'scopeLogs',
	fc.record({scope: fc.record({name: text}), logRecords: fc.array(logRecord, {maxLength: 6})}),
).map(resourceLogs => ({resourceLogs}));

const number = fc.oneof(
	value('asInt', fc.oneof(int64, fc.constantFrom(0n, 1n))),
	value('asDouble', fc.oneof(fc.double(), fc.constantFrom(0, 1))),
	fc.constant({}),
);
const point: fc.Arbitrary<MessageInitShape<typeof NumberDataPointSchema>> = fc
	.tuple(number, fc.record({timeUnixNano: time, attributes, flags: fc.constantFrom(0, 0, 0, 1, 2, 3)}))
	.map(([value, rest]) => ({...rest, ...value}));
const points = fc.array(point, {maxLength: 6});
const others = fc.array(fc.record({timeUnixNano: time, attributes}), {maxLength: 3});

const aggregate = fc.oneof(
	fc.record({case: fc.constant('gauge' as const), value: fc.record({dataPoints: points})}),
	fc.record({
		case: fc.constant('sum' as const),
		value: fc.record({dataPoints: points, aggregationTemporality: fc.constantFrom(0, 1, 2, 7), isMonotonic: fc.boolean()}),
	}),
	fc.record({
		case: fc.constantFrom('histogram' as const, 'summary' as const, 'exponentialHistogram' as const),
		value: fc.record({dataPoints: others}),
	}),
);
const metric = fc.record({
	name: fc.oneof(fc.constantFrom('hw.status', 'hw.errors', 'node_hwmon_fault', 'node_hwmon_', 'hw.statuss'), text),
	unit: text,
	data: aggregate,
}) as fc.Arbitrary<MessageInitShape<typeof MetricSchema>>;

export const metricsRequest: fc.Arbitrary<MessageInitShape<typeof MetricsDataSchema>> = ofResources(
	'scopeMetrics',
	fc.record({metrics: fc.array(metric, {maxLength: 4})}),
).map(resourceMetrics => ({resourceMetrics}));

const pattern = fc.constantFrom<string | string[]>(
	'*',
	'E*',
	'*1*',
	'*0*1',
	'failed',
	'vendor.*',
	'callhome.hardware.alert',
	['W17', 'E'],
	'true',
	'1',
	'f*l*d',
);
const condition = fc.dictionary(keys, pattern, {minKeys: 1, maxKeys: 2});
const hasAny = (rule: object) => Object.keys(rule).length > 0;

const logRule = fc
	.record(
		{
			event_name: pattern,
			min_severity: fc.oneof(fc.integer({min: 1, max: 24}), fc.constantFrom('warn', 'error', 'fatal')),
			attributes: condition,
			any_attribute: fc.array(keys, {minLength: 1, maxLength: 3}),
			resource: condition,
		},
		{requiredKeys: []},
	)
	.filter(hasAny);

const metricCondition = fc.oneof(
	fc.record({state: pattern}),
	fc.record({growing: fc.constant(true)}),
	fc.record({equals: fc.constantFrom(0, 1)}),
	fc.record({above: fc.constantFrom(0, -1)}),
	fc.record({state: pattern, above: fc.constant(0)}),
);
const metricRule = fc
	.tuple(
		fc.record({name: fc.constantFrom<string | string[]>('node_hwmon_*', '*', 'hw.status', ['hw.errors', 'h*s'])}),
		fc.record({attributes: condition, resource: condition}, {requiredKeys: []}),
		metricCondition,
	)
	.map(parts => Object.assign({}, ...parts) as object);

const rules = (rule: fc.Arbitrary<object>, defaults: readonly [string, string]) =>
	fc.dictionary(fc.constantFrom(...defaults, 'rule_1', 'rule_2'), fc.oneof(rule, fc.constant(null)), {maxKeys: 3});

/** What could stand under the key `selection` in a config. */
export const selectionConfig = fc.record({
	logs: rules(logRule, ['hardware_alert', 'hardware_error']),
	metrics: rules(metricRule, ['hardware_status', 'hardware_errors']),
});
