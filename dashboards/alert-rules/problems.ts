import {ledgerRules} from './ledger.ts';
import type {AlertRule, RuleGroup} from './rule.ts';
import {by, hour, minute, type Terms} from './terms.ts';

/** What becomes of problems, and whether the bridge can take and keep them, and prove what it sent. */
export const problemsGroup = (terms: Terms): RuleGroup => ({
	name: 'callhome-problems',
	rules: [
		rejected(terms),
		unanswered(terms),
		stuck(terms),
		burningFast(terms),
		burningSlowly(terms),
		queueFilling(terms),
		intakeRefusing(terms),
		storeFilling(terms),
		clockOff(terms),
		...ledgerRules(terms),
	],
});

const rejected = ({series, label, span}: Terms): AlertRule => ({
	alert: 'CallHomeProblemRejected',
	severity: 'warning',
	expr: `sum ${by()} (${series.problems}{${label.problemState}="rejected"}) > 0`,
	for: span(5 * minute),
	summary: 'IBM has refused a problem.',
	description:
		'IBM refused {{ $value | humanize }} problem(s) of the bridge {{ $labels.instance }}: they are not sent again by themselves.',
	impact: 'Nobody at IBM works on these faults.',
	action:
		'Run "callhome problem list" and "callhome problem show ID" for the words of IBM. Correct what they name, such as the serial number, or open the case by hand.',
});

const unanswered = ({series, label, span}: Terms): AlertRule => ({
	alert: 'CallHomeProblemUnanswered',
	severity: 'critical',
	expr: `sum ${by()} (${series.heldProblems}{${label.holdReason}="unanswered"}) > 0`,
	for: span(5 * minute),
	summary: 'A problem was parked, for IBM gave no answer in 30 days.',
	description:
		'Of the bridge {{ $labels.instance }}, {{ $value | humanize }} problem(s) are held because no attempt of 30 days was answered.',
	impact: 'IBM does not know of these faults, and nothing more is tried until IBM accepts something again.',
	action: 'Run "callhome test connectivity" and repair what it names. Open the cases by hand meanwhile.',
});

/** Beside the alert after fifteen minutes: by now somebody has to act without the bridge. */
const stuck = ({series, span, age}: Terms): AlertRule => ({
	alert: 'CallHomeProblemStuck',
	severity: 'critical',
	expr: `max ${by()} (${series.queueOldestAge}) > ${age(4 * hour)}`,
	for: span(5 * minute),
	summary: 'A problem has not been delivered to IBM for four hours.',
	description: 'The oldest undelivered problem of the bridge {{ $labels.instance }} waits for {{ $value | humanizeDuration }}.',
	impact: 'A machine may have run without its redundancy for that long, and IBM does not know.',
	action:
		'Open the case with IBM by hand: "callhome problem list" has the serial number and the part. Then repair the connection.',
});

/** Of the cases, 95 of 100 are answered within 250 seconds: a bound of the histogram, written as one of two forms. */
const objective = 0.95;
const withinBound = 'le=~"250(\\\\.0)?"';

function slowShare({series, label, span}: Terms, window: number): string {
	const ofCases = `${label.submissionType}="hardware_alert"`;
	const rate = (suffix: string, matchers: string) =>
		`sum ${by()} (rate(${series.submissionDuration}_${suffix}{${matchers}}[${span(window)}]))`;
	return `1 - ${rate('bucket', `${ofCases}, ${withinBound}`)} / ${rate('count', ofCases)}`;
}

/** How many cases there were, six at least: of fewer a share says nothing. Prometheus extrapolates: five may count as a little more. */
const enough = ({series, label, span}: Terms, window: number) =>
	`sum ${by()} (increase(${series.submissionDuration}_count{${label.submissionType}="hardware_alert"}[${span(window)}])) > 5.5`;

const burning = (terms: Terms, [long, short]: readonly [number, number], factor: number): string => {
	const most = Number((factor * (1 - objective)).toFixed(2));
	return `(${slowShare(terms, long)}) > ${most}
and (${slowShare(terms, short)}) > ${most}
and ${enough(terms, long)}`;
};

const ofObjective = {
	alert: 'CallHomeDeliveryObjectiveBurning',
	description:
		'Of the problems of the bridge {{ $labels.instance }}, {{ $value | humanizePercentage }} took longer than 250 seconds to be answered; 5 % may.',
	impact: 'Hardware faults reach IBM late.',
	action:
		'Look at the dashboard "Call home / Delivery" for what takes the time: attempts that fail over a first connection, replies 429 and 503 of IBM, or a storm.',
};

const burningFast = (terms: Terms): AlertRule => ({
	...ofObjective,
	severity: 'critical',
	expr: burning(terms, [hour, 5 * minute], 14.4),
	for: terms.span(2 * minute),
	summary: 'Most problems take too long to reach IBM.',
});

const burningSlowly = (terms: Terms): AlertRule => ({
	...ofObjective,
	severity: 'warning',
	expr: burning(terms, [6 * hour, 30 * minute], 6),
	for: terms.span(15 * minute),
	summary: 'Many problems take too long to reach IBM.',
});

const queueFilling = ({series, span}: Terms): AlertRule => ({
	alert: 'CallHomeQueueFilling',
	severity: 'warning',
	expr: `max ${by()} (${series.queueSize}) / max ${by()} (${series.queueCapacity}) > 0.8`,
	for: span(10 * minute),
	summary: 'The sending queue is nearly full.',
	description: 'The queue of the bridge {{ $labels.instance }} is filled to {{ $value | humanizePercentage }}.',
	impact: 'When it is full, further events are refused: their producers keep them, as far as they can.',
	action:
		'Run "callhome test connectivity" when nothing leaves. When a storm fills it, look for its cause in "callhome problem list". Then raise "store.queue_capacity".',
});

/** A refusal is made at each try: one that goes on. A start and a restart refuse for seconds. */
const intakeRefusing = ({series, label, span}: Terms): AlertRule => ({
	alert: 'CallHomeIntakeRefusing',
	severity: 'critical',
	expr: `sum ${by()} (increase(${series.intakeRecords}{${label.intakeOutcome}="refused"}[${span(5 * minute)}])) > 0`,
	for: span(10 * minute),
	summary: 'The bridge refuses hardware events.',
	description:
		'The bridge {{ $labels.instance }} refused {{ $value | printf "%.0f" }} records within five minutes, for it cannot keep them.',
	impact: 'Hardware faults wait at their producers. One without a queue of its own loses them.',
	action:
		'Run "callhome status" and look at "callhome activity": the store or its disk is full, or the queue is. Free space in "store.directory", or raise "store.max_size".',
});

const storeFilling = ({series, span}: Terms): AlertRule => ({
	alert: 'CallHomeStoreFilling',
	severity: 'warning',
	expr: `max ${by()} (${series.storeAvailable}) / (max ${by()} (${series.storeSize}) + max ${by()} (${series.storeAvailable})) < 0.3
or max ${by()} (${series.storeAvailable}) < 67108864`,
	for: span(10 * minute),
	summary: 'The store has little room left.',
	description: 'The store of the bridge {{ $labels.instance }} nears its end: the disk, or "store.max_size".',
	impact: 'When it is full the bridge refuses events, and sends what it has.',
	action: 'Free space on the disk of "store.directory", raise "store.max_size", or lower "store.retention".',
});

/** The time of the scrape is that of Prometheus. What a Collector holds back grows old for five minutes at the most. */
const clockOff = ({series, span}: Terms): AlertRule => ({
	alert: 'CallHomeClockOff',
	severity: 'warning',
	expr: `max ${by()} (abs(timestamp(${series.clockTime}) - ${series.clockTime})) > 60`,
	for: span(10 * minute),
	summary: 'The clocks of the bridge and of Prometheus differ.',
	description: 'The clock of the bridge {{ $labels.instance }} and that of Prometheus differ by {{ $value | humanizeDuration }}.',
	impact: 'IBM may refuse what is signed at a wrong time, certificates seem to be over, and times of problems are wrong.',
	action: 'Set the clock of the machine that is off, and look whether it is synchronized: "timedatectl".',
});
