import {type HardwareType, partIn} from '../../hardware.ts';

export type NamedPart = {
	readonly type: HardwareType | undefined;
	/** Such as `fan/2`: the same from other sources that name the part in their own words. */
	readonly id: string;
	readonly name: string;
};

/** What an object path calls its object: `…:CIM_Fan.CreationClassName="…",DeviceID="Fan 2"`. */
const namingKeys = ['ElementName', 'DeviceID', 'Tag', 'Name', 'InstanceID'];

export function nameInPath(path: string): string {
	const keys = [...path.slice(0, 4000).matchAll(/[.,]\s*(\w{1,60})\s*=\s*"((?:[^"\\]|\\.){0,300})"/g)];
	for (const name of namingKeys) {
		const value = keys.find(([, key = '']) => key.toLowerCase() === name.toLowerCase())?.[2];
		if (value) return value.replaceAll(/\\(.)/g, '$1').trim();
	}
	return '';
}

const slugOf = (text: string): string =>
	text
		.toLowerCase()
		.replaceAll(/[^a-z0-9]+/g, '-')
		.replaceAll(/^-+|-+$/g, '')
		.slice(0, 100);

const label = (type: string): string => type.replaceAll('_', ' ');
/** A processor and a memory module may both have a number and a temperature: a sensor is told apart by its whole name. */
const isSensor = (type: HardwareType | undefined): boolean => type === 'temperature' || type === 'voltage';

/** The part that an alert is about: by the words of its message, else by the object that it points to. */
export function namedPart(message: string, element: string, known: HardwareType | undefined, otherwise: string): NamedPart {
	const quoted = /["“]([^"”]{1,100})["”]/.exec(message.slice(0, 4000))?.[1]?.trim() ?? '';
	const object = nameInPath(element);
	const className = /(?:^|[:/])[A-Za-z0-9]+_(\w+)\./.exec(element.slice(0, 1000))?.[1] ?? '';
	const name = quoted || object;
	const candidates = [quoted, message.slice(0, 2000), object, `${className.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')} ${object}`];
	const parts = candidates.map(text => partIn(text)).filter(part => part !== undefined);
	const part = parts.find(({type, place}) => place !== '' && (known === undefined || type === known)) ?? parts[0];
	const type = known ?? part?.type;
	if (part && part.type === type && part.place !== '' && !(name !== '' && isSensor(type)))
		return {type, id: `${type}/${part.place}`, name: name || `${label(part.type)} ${part.place}`};
	const slug = slugOf(name);
	if (slug !== '') return {type, id: `${type ?? 'part'}/${slug}`, name};
	return {type, id: `${type ?? 'event'}/${otherwise}`, name: type ? label(type) : ''};
}
