import {connectivityCases} from './alert-cases.ts';
import {hardwareCases} from './alert-cases-hardware.ts';
import {inventoryCases} from './alert-cases-inventory.ts';
import {ledgerCases} from './alert-cases-ledger.ts';
import {limitCases} from './alert-cases-limits.ts';
import {limitRoomCases} from './alert-cases-limits-room.ts';
import {partCases} from './alert-cases-parts.ts';
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
	...partCases,
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
The case, with each bridge of it there three times: an alert is told of each, and none of them answers for another. Undefined for
an alert about all bridges together, and where names differ by that already.
*/
function withNamesakes({series, fires, title, ...rest}: AlertCase): AlertCase | undefined {
	const twins = namesakes.flatMap(change =>
		Object.entries(series).map(([name, values]) => [change.series(name), values] as const),
	);
	const all = {...series, ...Object.fromEntries(twins)};
	const isTold = fires.every(({labels}) => labels.job !== undefined);
	if (!isTold || Object.keys(all).length < 3 * Object.keys(series).length) return undefined;
	const told = namesakes.flatMap(({labels}) => fires.map(firing => ({...firing, labels: {...firing.labels, ...labels}})));
	return {...rest, title: `${title}, beside its namesakes`, series: all, fires: [...fires, ...told]};
}

export const namesakeCases = alertCases.flatMap(alertCase => withNamesakes(alertCase) ?? []);
