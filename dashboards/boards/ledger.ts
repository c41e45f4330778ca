import {hour} from '../alert-rules/terms.ts';
import type {PanelSpec} from './panel.ts';
import {type BoardTerms, limits, noneIsGood, plain} from './terms.ts';

/** What left, and whether that is still proved: for who audits it, and for who is paged. */
export const ledger = (terms: BoardTerms): PanelSpec[] => [...now(terms), ...overTime(terms)];

/** By the clock of the bridge, as the alert has it. */
const verificationAge = ({series, of}: BoardTerms) =>
	`max by (instance) (${of(series.clockTime)}) - on (instance) max by (instance) (${of(series.ledgerVerified)})`;

const now = (terms: BoardTerms): PanelSpec[] => {
	const {series, of} = terms;
	const stat = (
		title: string,
		description: string,
		unit: string,
		expr: string,
		steps: PanelSpec['steps'] = plain,
	): PanelSpec => ({
		kind: 'stat',
		title,
		description,
		width: 8,
		height: 4,
		unit,
		steps,
		queries: [{expr, legend: '{{instance}}'}],
	});
	return [
		stat(
			'Breaks of the ledger',
			'Breaks that the last verification found and nobody has acknowledged: what was changed, damaged or is missing.',
			'none',
			`sum by (instance) (${of(series.ledgerBreaks)})`,
			noneIsGood,
		),
		stat(
			'Entries of the ledger',
			'Entries ever written, each for what left the bridge. The number never goes back.',
			'none',
			`max by (instance) (${of(series.ledgerEntries)})`,
		),
		stat(
			'Last verification of the ledger',
			'Time since the whole ledger was last verified. Alarmed after three hours.',
			's',
			verificationAge(terms),
			limits(2 * hour, 3 * hour),
		),
	];
};

const overTime = (terms: BoardTerms): PanelSpec[] => {
	const {series, label, of, rate} = terms;
	return [
		{
			kind: 'stacked',
			title: 'Breaks of the ledger, by kind',
			description: 'What verifications found: such as entries that are missing, or whose content is not what was chained.',
			width: 8,
			unit: 'none',
			min: 0,
			queries: [{expr: `sum by (${label.ledgerBreak}) (${of(series.ledgerBreaks)})`, legend: `{{${label.ledgerBreak}}}`}],
		},
		{
			kind: 'lines',
			title: 'New entries of the ledger',
			description: 'Entries a minute: what leaves, and what was answered.',
			width: 8,
			unit: 'cpm',
			min: 0,
			queries: [{expr: `60 * sum by (instance) (${rate(series.ledgerEntries)})`, legend: '{{instance}}'}],
		},
		{
			kind: 'lines',
			title: 'Age of the last verification',
			description: 'Falls to 0 each time the whole ledger was verified.',
			width: 8,
			unit: 's',
			min: 0,
			steps: limits(2 * hour, 3 * hour),
			queries: [{expr: verificationAge(terms), legend: '{{instance}}'}],
		},
	];
};
