import {z} from 'zod';
import {duration} from '../settings.ts';

const pattern = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

/** Attributes by name, each with a text, a text with `*`, or a list of such. All must match. */
export const matchSchema = z.record(z.string().min(1), pattern);

const label = (what: string, expression: RegExp) => z.string().regex(expression, `is not a ${what}`);

export const systemSchema = z.strictObject({
	name: z.string().min(1).max(200).optional(),
	machine_type: label('machine type: four letters or digits, such as 8871', /^[0-9A-Za-z]{4}$/),
	model: label('model: one to eight letters or digits, such as AC1', /^[0-9A-Za-z]{1,8}$/),
	serial_number: label('serial number as on the label', /^[0-9A-Za-z-]{1,32}$/),
	country: label('country: two letters as in ISO 3166-1, such as CH', /^[A-Z]{2}$/).optional(),
});

export const knownSystemSchema = systemSchema.extend({
	match: matchSchema.refine(match => Object.keys(match).length > 0, {
		message: 'names no resource attribute: every machine would be taken for this one',
	}),
});
export type KnownSystem = z.infer<typeof knownSystemSchema>;

const verdict = z.enum(['call_home', 'serviceable', 'never']);

/** One row of the table that says what is serviceable, and what of it calls home. */
export const serviceabilityRuleSchema = z.strictObject({
	match: matchSchema,
	verdict,
	repeat: z.int().min(1).max(1000).default(1),
	/** The repetitions count when they came within this time; without it, whenever they came. */
	within: duration.refine(millis => millis > 0, 'must be more than 0').optional(),
});

const instant = z.iso
	.datetime({offset: true, error: 'is not a time: write for example 2026-01-31T22:00:00Z or 2026-01-31T22:00:00+01:00'})
	.transform(text => Date.parse(text));

const maintenanceSchema = z
	.strictObject({
		match: matchSchema.refine(
			match => Object.keys(match).length > 0,
			'names no system: write for example {host.name: db01.example}',
		),
		from: instant,
		to: instant,
		reason: z.string().min(1).max(200).default('maintenance'),
	})
	.refine(({from, to}) => from < to, {path: ['to'], message: 'is not after from: a window has an end'});

const exclusionSchema = z
	.strictObject({
		/** An event id or code, with `*` for any characters: `0x806F010C*`. */
		event_id: pattern.optional(),
		/** Resources from one name to another, both included, counted as people count: drive-9 comes before drive-10. */
		resources: z
			.strictObject({
				attribute: z.string().min(1).max(200).default('hw.id'),
				from: z.string().min(1).max(200),
				to: z.string().min(1).max(200),
			})
			.optional(),
		/** Attributes of the event or of its resource. */
		match: matchSchema.optional(),
	})
	.refine(({event_id, resources, match}) => event_id !== undefined || resources || Object.keys(match ?? {}).length > 0, {
		message: 'excludes everything: give event_id, resources or match',
	});

export const processorsSchema = z.strictObject({
	/** Looked at before the built-in table, in order. */
	serviceability: z.array(serviceabilityRuleSchema).default([]),
	/** Nothing of these is sent; it is kept and shown. */
	exclude: z.array(exclusionSchema).max(10_000).default([]),
	/** Problems that begin while a machine is worked at are held until the end, and sent when they still last. */
	maintenance: z.array(maintenanceSchema).max(10_000).default([]),
	/** Whether a person releases each problem (`manual`), or it goes out by itself. */
	approval: z.enum(['automatic', 'manual']).default('automatic'),
	/** Reports of one part by different sources within this time are one fault. 0s: each stands alone. */
	correlate_within: duration.refine(millis => millis <= 86_400_000, 'must be at most 1d').default(5 * 60_000),
	/** For this long after a recovery the same fault joins the same problem. */
	relapse_within: duration.default(120 * 3_600_000),
	storm: z
		.strictObject({
			/** New problems of one system within `window` after which further faults fold into one problem. */
			threshold: z.int().min(2).max(10_000).default(10),
			window: duration.default(60 * 60_000),
			/** How long the folded problem collects before it is sent. */
			hold: duration.default(30 * 60_000),
			/** `one`: faults of one system that its own clock dates to the same moment are one problem. */
			same_time: z.enum(['separate', 'one']).default('separate'),
		})
		.prefault({}),
});
export type ProcessorsConfig = z.infer<typeof processorsSchema>;
