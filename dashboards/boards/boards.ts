import {type Board, dashboardOf} from './board.ts';
import {bridge} from './bridge.ts';
import {connectivity} from './connectivity.ts';
import {delivery} from './delivery.ts';
import {events} from './events.ts';
import {fleet} from './fleet.ts';
import {hardware} from './hardware.ts';
import type {BoardTerms} from './terms.ts';

export const boardsOf = (terms: BoardTerms): readonly Board[] =>
	[connectivity, delivery, hardware, fleet, bridge, events].map(make => make(terms));

/** The text of each dashboard, by its uid. */
export const dashboardTexts = (terms: BoardTerms): Readonly<Record<string, string>> =>
	Object.fromEntries(
		boardsOf(terms).map(board => [board.uid, `${JSON.stringify(dashboardOf(board, terms), undefined, '\t')}\n`]),
	);
