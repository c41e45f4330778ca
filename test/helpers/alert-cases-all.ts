import {connectivityCases} from './alert-cases.ts';
import {hardwareCases} from './alert-cases-hardware.ts';
import {inventoryCases} from './alert-cases-inventory.ts';
import {ledgerCases} from './alert-cases-ledger.ts';
import {limitCases} from './alert-cases-limits.ts';
import {limitRoomCases} from './alert-cases-limits-room.ts';
import {problemCases} from './alert-cases-problems.ts';
import type {AlertCase} from './promtool.ts';

/** What the alert rules are tried with. */
export const alertCases = [
	...connectivityCases,
	...problemCases,
	...hardwareCases,
	...inventoryCases,
	...ledgerCases,
	...limitCases,
	...limitRoomCases,
];

type Change = {readonly series: (name: string) => string; readonly labels: Readonly<Record<string, string>>};

/** Bridges with the same name: of another job, and at another site. */
const namesakes: readonly Change[] = [
	{series: name => name.replaceAll('job="callhome-bridge"', 'job="callhome-other"'), labels: {job: 'callhome-other'}},
	{
		series: name => (name.includes('site="') ? name : name.replace(/\{([^}]+)\}$/, '{$1, site="Bern"}')),
		labels: {site: 'Bern'},
	},
];

/**
The case, with each bridge of it there twice: an alert is told of each, and none of them answers for the other. Undefined for an
alert about all bridges together, and where the names differ by that already.
*/
function withNamesake({series, fires, title, ...rest}: AlertCase, change: Change): AlertCase | undefined {
	const twins = Object.entries(series).map(([name, values]) => [change.series(name), values] as const);
	if (twins.some(([name]) => name in series) || fires.some(({labels}) => labels.job === undefined)) return undefined;
	return {
		...rest,
		title: `${title}, beside a namesake with ${Object.keys(change.labels)}`,
		series: {...series, ...Object.fromEntries(twins)},
		fires: [...fires, ...fires.map(firing => ({...firing, labels: {...firing.labels, ...change.labels}}))],
	};
}

export const namesakeCases = alertCases.flatMap(alertCase => namesakes.flatMap(change => withNamesake(alertCase, change) ?? []));
