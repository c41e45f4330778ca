import {z} from 'zod';
import type {Outcome} from '../outcome.ts';
import {duration} from '../settings.ts';

const dayMillis = 86_400_000;

/** The longest wait for which a backend may ask: a faulty one must not silence a fault for good. */
const longestWishMillis = dayMillis;

const interval = duration.refine(millis => millis > 0 && millis <= dayMillis, {message: 'must be more than 0 and at most 24h'});

/** When a submission that got no final answer is due again. Defaults: 30 s doubling to 30 min, as IBM's own clients poll. */
export const retrySchema = z.strictObject({
	initial_interval: interval.default(30_000),
	max_interval: interval.default(30 * 60_000),
	multiplier: z.number().min(1).max(10).default(2),
	randomization_factor: z.number().min(0).max(1).default(0.2),
	/** Unanswered for this long, a problem is parked: visible and alarmed, never dropped (G2). */
	park_after: duration.default(30 * dayMillis),
});
export type RetryPolicy = z.infer<typeof retrySchema>;

/** Milliseconds until the next attempt, after `attempts` of them. Never sooner than the backend asked for. */
export function pauseAfter(attempts: number, outcome: Outcome, policy: RetryPolicy, random: () => number): number {
	const interval = Math.min(policy.initial_interval * policy.multiplier ** (attempts - 1), policy.max_interval);
	const jitter = 1 + policy.randomization_factor * (2 * random() - 1);
	const wished = outcome.status === 'deferred' ? (outcome.retryAfterMillis ?? 0) : 0;
	return Math.round(Math.max(interval * jitter, Math.min(wished, longestWishMillis), 1));
}
