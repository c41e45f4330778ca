import {z} from 'zod';
import {Severity} from '../../event.ts';
import {syslogAttributes} from './profiles.ts';

const severityNames = Object.keys(Severity) as (keyof typeof Severity)[];

const minSeverity = z
	.union([z.literal(severityNames), z.int().min(1).max(24)], {
		error: `expected ${severityNames.join(', ')}, or OTLP's severity number from 1 to 24`,
	})
	.transform(severity => (typeof severity === 'number' ? severity : Severity[severity]));

const scalar = z.union([z.string(), z.number(), z.boolean()]);

/** Exact text, or with `*` for any characters; a list means any of them; `*` alone means present with any value. */
const pattern = z
	.union([scalar, z.array(scalar)], {error: 'expected a text, a number or a boolean, or a list of them'})
	.transform(value => [value].flat().map(String))
	.refine(texts => texts.length > 0, {error: 'an empty list matches nothing: name at least one value'})
	.refine(texts => !texts.includes(''), {error: 'an empty pattern matches nothing: write "*" for "present with any value"'})
	.refine(texts => texts.every(text => text.length <= 1024), {error: 'a pattern has at most 1024 characters'})
	.refine(texts => !texts.some(text => text.includes('**')), {
		error: 'write one "*": it already stands for any number of characters',
	});

const isExact = (name: string): boolean => name !== '' && !name.includes('*');
const exactNames = 'an attribute is named exactly: "*" is for values only';

const attributeNames = z
	.array(z.string())
	.refine(names => names.length > 0, {error: 'name at least one attribute'})
	.refine(names => names.every(isExact), {error: exactNames});

const conditions = z
	.record(z.string(), pattern)
	.refine(record => Object.keys(record).length > 0, {error: 'name at least one attribute'})
	.refine(record => Object.keys(record).every(isExact), {error: exactNames});

const logRule = z
	.strictObject({
		/** The event name: OTLP's own field, else the attribute `event.name` or `otel.event.name`. */
		event_name: pattern.optional(),
		min_severity: minSeverity.optional(),
		attributes: conditions.optional(),
		/** At least one of these attributes is present. */
		any_attribute: attributeNames.optional(),
		resource: conditions.optional(),
		/** The text of the record: its body, when that is a text. Looked at last, for it costs most. */
		body: pattern.optional(),
	})
	.refine(rule => Object.keys(rule).length > 0, {
		error:
			'a rule without a condition selects every log record: give event_name, min_severity, attributes, any_attribute, resource or body',
	});

const metricRule = z
	.strictObject({
		name: pattern,
		attributes: conditions.optional(),
		resource: conditions.optional(),
		/** The point tells whether the component is in this state: attribute `hw.state`, or `state` as older senders have it. */
		state: pattern.optional(),
		/** The point is a count of faults, and matters when it grows. */
		growing: z.literal(true, {error: 'expected true: leave the key out for metrics that do not count'}).optional(),
		equals: z.number().optional(),
		above: z.number().optional(),
		/** With `above`: the state ends below this, and between the two it stays as it is (hysteresis). */
		clear_below: z.number().optional(),
		/** So many of the last points must say so before the state begins, or ends. */
		samples: z.strictObject({count: z.int().min(1).max(30), of: z.int().min(1).max(30)}).optional(),
		/** The point is a health as the Collector's redfish receiver has it: 0 critical, 1 ok, 2 warning, -1 unknown. */
		health: z.literal(true, {error: 'expected true: leave the key out for metrics of another kind'}).optional(),
	})
	.refine(({above, clear_below}) => clear_below === undefined || (above !== undefined && clear_below <= above), {
		path: ['clear_below'],
		error: 'goes with above, and is not more than it',
	})
	.refine(({samples}) => !samples || samples.count * 2 > samples.of, {
		path: ['samples', 'count'],
		error: 'is not more than half of samples.of: a state could begin and end with the same points',
	})
	.refine(({samples}) => !samples || samples.count <= samples.of, {path: ['samples', 'count'], error: 'is more than samples.of'})
	.refine(({samples, growing}) => !samples || !growing, {
		path: ['samples'],
		error: 'is for state, equals, above and health: a count speaks for itself',
	})
	.refine(rule => ['state', 'growing', 'equals', 'above', 'health'].some(key => key in rule), {
		error: 'a metric rule needs a condition on the value: give state, growing, equals, above or health',
	})
	.refine(rule => !(rule.state && rule.growing), {error: 'state and growing exclude each other: make two rules of it'});

/**
The config key `selection`: which of the forwarded signals are hardware events. Rules have names, so that one is added
under a new name and a default is removed by setting its name to null. All conditions of a rule must hold.
*/
export const selectionSchema = z
	.strictObject({
		logs: z.record(z.string(), logRule.nullable()).default({}),
		metrics: z.record(z.string(), metricRule.nullable()).default({}),
	})
	.prefault({});

export type Selection = z.output<typeof selectionSchema>;
export type LogRule = z.output<typeof logRule>;
export type MetricRule = z.output<typeof metricRule>;

/** What is selected without any config. */
export const defaultSelection: Selection = selectionSchema.parse({
	logs: {
		hardware_alert: {event_name: 'callhome.hardware.alert'},
		hardware_error: {min_severity: 'error', any_attribute: ['hw.id', 'hw.type']},
		bmc_syslog: {
			min_severity: 'info',
			any_attribute: [...syslogAttributes],
			body: ['*806F*', '*806f*', '*816F*', '*816f*', '*8001*', '*8007*', '*800B*', '*800b*', '*FQX*', '*FQP*'],
		},
		kernel_hardware_error: {
			min_severity: 'info',
			any_attribute: [...syslogAttributes],
			body: ['*[Hardware Error]*', '*EDAC MC*', '*critical medium error*'],
		},
	},
	metrics: {
		hardware_status: {name: 'hw.status', state: ['failed', 'predicted_failure']},
		hardware_errors: {name: 'hw.errors', growing: true},
		redfish_receiver_parts: {name: ['fan.status.health', 'temperature.status.health'], health: true},
		// Twice, because the receiver reads the parts after the whole: one that has just become well explains nothing any more.
		redfish_receiver_systems: {
			name: ['system.status.health', 'chassis.status.health'],
			health: true,
			samples: {count: 2, of: 3},
		},
	},
});

const present = <Rule>(defaults: Record<string, Rule | null>, configured: Record<string, Rule | null>): Rule[] =>
	Object.values({...defaults, ...configured}).filter(rule => rule !== null);

/** The rules in force: the defaults in their order, each as the config replaced it, then the config's own. */
export const logRulesOf = (selection: Selection): LogRule[] => present(defaultSelection.logs, selection.logs);
export const metricRulesOf = (selection: Selection): MetricRule[] => present(defaultSelection.metrics, selection.metrics);
