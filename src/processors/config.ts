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
});

export const processorsSchema = z.strictObject({
	/** Looked at before the built-in table, in order. */
	serviceability: z.array(serviceabilityRuleSchema).default([]),
	/** For this long after a recovery the same fault joins the same problem. */
	relapse_within: duration.default(120 * 3_600_000),
	storm: z
		.strictObject({
			/** New problems of one system within `window` after which further faults fold into one problem. */
			threshold: z.int().min(2).max(10_000).default(10),
			window: duration.default(60 * 60_000),
			/** How long the folded problem collects before it is sent. */
			hold: duration.default(30 * 60_000),
		})
		.prefault({}),
});
export type ProcessorsConfig = z.infer<typeof processorsSchema>;
