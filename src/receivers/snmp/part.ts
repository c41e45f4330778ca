import {type HardwareType, type Part, partIn} from '../../hardware.ts';

/** A part as an event names it. */
export type NamedPart = {
	readonly type: HardwareType | undefined;
	/** Such as `fan/2`: the same from a trap, from the event log and from a table. */
	readonly id: string;
	readonly name: string;
};

const slugOf = (text: string): string =>
	text
		.toLowerCase()
		.replaceAll(/[^a-z0-9]+/g, '-')
		.replaceAll(/^-+|-+$/g, '')
		.slice(0, 100);

/** Modules say the same again and again, and finding a part takes many expressions. */
const mostRemembered = 5000;
const remembered = new Map<string, Part | undefined>();

function partNamed(text: string): Part | undefined {
	const known = remembered.get(text);
	if (known || remembered.has(text)) return known;
	if (remembered.size >= mostRemembered) remembered.clear();
	const part = partIn(text);
	remembered.set(text, part);
	return part;
}

/** The part that a text is about. What the module knows of its kind goes before what the words suggest. */
export function namedPart(text: string, known: HardwareType | undefined, otherwise: string): NamedPart {
	const quoted = /["“]([^"”]{1,100})["”]/.exec(text)?.[1]?.trim() ?? '';
	const part = partNamed(quoted === '' ? text : quoted) ?? partNamed(text);
	const type = known ?? part?.type;
	const name = quoted;
	if (part && part.type === type && part.place !== '' && !(name !== '' && isSensor(type)))
		return {type, id: `${type}/${part.place}`, name: name || `${label(type)} ${part.place}`};
	if (name !== '') return {type, id: `${type ?? 'part'}/${slugOf(name)}`, name};
	return {type, id: `${type ?? 'event'}/${otherwise}`, name: type ? label(type) : ''};
}

/** A processor and a memory module may both have a number and a temperature: a sensor is told apart by its whole name. */
const isSensor = (type: HardwareType): boolean => type === 'temperature' || type === 'voltage';

const label = (type: string): string => type.replaceAll('_', ' ');

/** The part that one row of a module's table stands for. */
export function partOfRow(type: HardwareType, name: string, index: string): NamedPart {
	const part = partNamed(name);
	const id = !isSensor(type) && part?.type === type && part.place !== '' ? part.place : slugOf(name) || index;
	return {type, id: `${type}/${id}`, name: name || `${label(type)} ${index}`};
}
