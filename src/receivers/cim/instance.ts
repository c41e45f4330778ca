import {childrenOf, descend, type Element, escapeXml} from './xml.ts';

/** Keys by their names; an association's keys are paths themselves. */
export type InstancePath = {
	readonly className: string;
	readonly keys: ReadonlyMap<string, string | InstancePath>;
};
export type Value = string | readonly string[] | InstancePath;

/** CIM's names do not distinguish upper and lower case: `properties` has them as they came, `propertyOf` finds them anyhow. */
export type Instance = {readonly className: string; readonly properties: ReadonlyMap<string, Value>};

export const isPath = (value: Value | undefined): value is InstancePath => typeof value === 'object' && 'className' in value;
const isSame = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

export function propertyOf({properties}: Instance, name: string): Value | undefined {
	return properties.get(name) ?? properties.entries().find(([key]) => isSame(key, name))?.[1];
}

/** The text of a property, empty when it is absent, NULL, or no scalar. */
export function textOf(instance: Instance, name: string): string {
	const value = propertyOf(instance, name);
	return typeof value === 'string' ? value.trim() : '';
}

export function keyOf({keys}: InstancePath, name: string): string | InstancePath | undefined {
	return keys.get(name) ?? keys.entries().find(([key]) => isSame(key, name))?.[1];
}

export function readInstance(element: Element): Instance {
	const properties = new Map<string, Value>();
	for (const child of element.children) {
		const name = child.attributes.get('NAME');
		const value = readProperty(child);
		if (name !== undefined && value !== undefined && !properties.has(name)) properties.set(name, value);
	}
	return {className: element.attributes.get('CLASSNAME') ?? '', properties};
}

/** Undefined is NULL: a property without a value. */
function readProperty(element: Element): Value | undefined {
	if (element.name === 'PROPERTY') return descend(element, 'VALUE')?.text;
	if (element.name === 'PROPERTY.ARRAY') {
		const array = descend(element, 'VALUE.ARRAY');
		return array && childrenOf(array, 'VALUE').map(({text}) => text);
	}
	return element.name === 'PROPERTY.REFERENCE' ? readReference(descend(element, 'VALUE.REFERENCE')) : undefined;
}

/** A reference may name its namespace and its host, too: that is how servers answer. */
function readReference(element: Element | undefined): InstancePath | undefined {
	const name =
		descend(element, 'INSTANCENAME') ??
		descend(element, 'LOCALINSTANCEPATH', 'INSTANCENAME') ??
		descend(element, 'INSTANCEPATH', 'INSTANCENAME');
	return name && readPath(name);
}

export function readPath(element: Element): InstancePath {
	const keys = new Map<string, string | InstancePath>();
	for (const binding of childrenOf(element, 'KEYBINDING')) {
		const reference = readReference(descend(binding, 'VALUE.REFERENCE'));
		keys.set(binding.attributes.get('NAME') ?? '', reference ?? descend(binding, 'KEYVALUE')?.text ?? '');
	}
	return {className: element.attributes.get('CLASSNAME') ?? '', keys};
}

export const writePath = ({className, keys}: InstancePath): string =>
	`<INSTANCENAME CLASSNAME="${escapeXml(className)}">${[...keys].map(writeKey).join('')}</INSTANCENAME>`;

function writeKey([name, value]: [string, string | InstancePath]): string {
	const inside =
		typeof value === 'string'
			? `<KEYVALUE VALUETYPE="string">${escapeXml(value)}</KEYVALUE>`
			: `<VALUE.REFERENCE>${writePath(value)}</VALUE.REFERENCE>`;
	return `<KEYBINDING NAME="${escapeXml(name)}">${inside}</KEYBINDING>`;
}

/** A property to be created. The type is CIM's own, such as `string` or `uint16`. */
export type Property = {
	readonly name: string;
	readonly type: string;
	readonly value: string | InstancePath;
	readonly of?: string;
};

export const writeInstance = (className: string, properties: readonly Property[]): string =>
	`<INSTANCE CLASSNAME="${escapeXml(className)}">${properties.map(writeProperty).join('')}</INSTANCE>`;

function writeProperty({name, type, value, of = ''}: Property): string {
	if (typeof value === 'string')
		return `<PROPERTY NAME="${escapeXml(name)}" TYPE="${type}"><VALUE>${escapeXml(value)}</VALUE></PROPERTY>`;
	const reference = `<VALUE.REFERENCE>${writePath(value)}</VALUE.REFERENCE>`;
	return `<PROPERTY.REFERENCE NAME="${escapeXml(name)}" REFERENCECLASS="${escapeXml(of)}">${reference}</PROPERTY.REFERENCE>`;
}
