import {type HardwareEvent, textOf} from '../event.ts';
import type {ProcessorsConfig} from './config.ts';
import {createMatcher} from './match.ts';

/** Whether the operator wants nothing to do with an event. */
export type IsExcluded = (event: HardwareEvent) => boolean;

const order = new Intl.Collator('en', {numeric: true, sensitivity: 'base'});

/** Names as people count them: drive-9 comes before drive-10. Both ends belong to the range. */
function isWithin(text: string | undefined, {from, to}: {readonly from: string; readonly to: string}): boolean {
	return text !== undefined && order.compare(from, text) <= 0 && order.compare(text, to) <= 0;
}

/** The digits of an event id, whichever way they are written: `0x806F010C-0401FFFF` and `806f010c0401ffff` are one. */
const bare = (code: string): string => code.trim().replace(/^0x/i, '').replaceAll('-', '').toUpperCase();

type Exclusion = ProcessorsConfig['exclude'][number];

function compile({event_id, resources, match}: Exclusion): IsExcluded {
	const codes = event_id && createMatcher({code: [event_id].flat().map(bare)});
	const matches = match && createMatcher(match);
	const [attribute, range] = resources ? [resources.attribute, resources] : [];
	return function excludes({attributes, resource, name}) {
		const code = textOf(attributes, 'callhome.event.code', 'error.type');
		if (codes && !(code !== undefined && codes({code: bare(code)}))) return false;
		const all = {...resource, ...attributes, 'event.name': name};
		if (range && !isWithin(textOf(all, attribute ?? 'hw.id'), range)) return false;
		return !matches || matches(all);
	};
}

/** All conditions of one entry must hold; any entry excludes. */
export function createExclusion(exclusions: readonly Exclusion[]): IsExcluded {
	const compiled = exclusions.map(compile);
	return event => compiled.some(excludes => excludes(event));
}
