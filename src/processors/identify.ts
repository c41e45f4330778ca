import {hash} from 'node:crypto';
import {type Attributes, type HardwareEvent, textOf} from '../event.ts';
import {type HardwareType, hardwareTypes, type Part, partIn} from '../hardware.ts';
import type {HardwareComponent, System} from '../problem.ts';
import type {KnownSystem} from './config.ts';
import {createMatcher} from './match.ts';

const isHardwareType = (text: string): text is HardwareType => (hardwareTypes as readonly string[]).includes(text);

const digest = (parts: readonly unknown[]): string => hash('sha256', JSON.stringify(parts)).slice(0, 32);

/** What names a machine among the resource attributes, the clearest first. */
export const namingAttributes = ['host.name', 'server.address', 'net.host.name', 'host.ip', 'host.id'] as const;

export const systemName = (resource: Attributes): string =>
	textOf(resource, 'host.name', 'host.id', 'server.address') ?? 'unnamed system';

export function toSystem(known: Omit<KnownSystem, 'match'>, name: string): System {
	return {
		name: known.name ?? name,
		machineType: known.machine_type.toUpperCase(),
		model: known.model.toUpperCase(),
		serialNumber: known.serial_number.toUpperCase(),
		...(known.country ? {country: known.country} : {}),
	};
}

/** A label, or undefined when it is no identity to open a case with. */
const labelOf = (resource: Attributes, name: string, expression: RegExp): string | undefined => {
	const text = textOf(resource, name)?.trim().toUpperCase();
	return text !== undefined && expression.test(text) ? text : undefined;
};

function namedByResource(resource: Attributes): System | undefined {
	const machineType = labelOf(resource, 'callhome.system.type', /^[0-9A-Z]{4}$/);
	const model = labelOf(resource, 'callhome.system.model', /^[0-9A-Z]{1,8}$/);
	const serialNumber = labelOf(resource, 'callhome.system.serial_number', /^[0-9A-Z-]{1,32}$/);
	if (!machineType || !model || !serialNumber) return undefined;
	return {name: textOf(resource, 'host.name') ?? serialNumber, machineType, model, serialNumber};
}

export type Identify = (event: HardwareEvent) => System | undefined;

/** Finds the machine that an event is about: named on the resource itself, or listed under `systems`. */
export function createIdentify(systems: readonly KnownSystem[]): Identify {
	const identify = createIdentifyResource(systems);
	return ({resource}) => identify(resource);
}

/** The same by the resource alone. */
export function createIdentifyResource(systems: readonly KnownSystem[]): (resource: Attributes) => System | undefined {
	const known = systems.map(system => ({system, matches: createMatcher(system.match)}));
	return function identify(resource) {
		const named = namedByResource(resource);
		if (named) return named;
		const found = known.find(({matches}) => matches(resource));
		return found && toSystem(found.system, systemName(resource));
	};
}

/** One text per machine, for keys: the label where it is known, else a digest of what names the resource. */
export function systemKeyOf(system: System | undefined, resource: Attributes): string {
	if (system) return `${system.machineType}-${system.model}/${system.serialNumber}`;
	return `unknown/${digest(namesOf(resource))}`;
}

/** Each with its attribute: a gateway may add a host.id of its own to all that passes. An instance's id changes at each restart. */
function namesOf(resource: Attributes): unknown[] {
	const named = (names: readonly string[]) =>
		names.map(name => [name, textOf(resource, name)]).filter(([, text]) => text !== undefined);
	const machine = named(namingAttributes);
	if (machine.length > 0) return machine;
	const instance = named(['service.instance.id']);
	return instance.length > 0
		? instance
		: Object.keys(resource)
				.sort()
				.map(key => [key, textOf(resource, key) ?? String(resource[key])]);
}

export function componentOf(event: HardwareEvent): HardwareComponent {
	const {attributes} = event;
	return {
		id: textOf(attributes, 'hw.id') ?? '',
		type: textOf(attributes, 'hw.type') ?? '',
		name: textOf(attributes, 'hw.name') ?? '',
	};
}

export const isTest = (event: HardwareEvent): boolean => textOf(event.attributes, 'callhome.test') === 'true';

/**
What makes two events one fault: the machine, the part, and whether it is a test, so that a test never swallows a fault.
A part without an id is told apart by its name and place; without those, by its time series or by what the event says.
*/
export function faultKeyOf(event: HardwareEvent, systemKey: string): string {
	const {id, type, name} = componentOf(event);
	const place = textOf(event.attributes, 'hw.sensor_location') ?? '';
	const part =
		id !== ''
			? ['id', id]
			: name !== '' || place !== ''
				? ['name', name, place]
				: ['said', event.name, event.measurement?.series ?? textOf(event.attributes, 'error.type') ?? event.message];
	return digest(['fault', systemKey, type, ...part, isTest(event)]);
}

/** Leads to the problem that a system's storm folds into now; what is held for a reason folds with its like. */
export const stormKeyOf = (systemKey: string, holdReason: string): string => digest(['storm', systemKey, holdReason]);

/** The key of one storm: a system may have another one later. */
export const ownStormKey = (stormKey: string, problemId: string): string => `${stormKey}/${problemId}`;

export const isStormKey = (key: string): boolean => key.includes('/');

/**
Where in which machine the part is, by what people call it and not by a source's own id: the same for every source. The
second key is the source's own: by it one knows that the source has told of a part in this place already, so that a further
one there is another part. Undefined when the event names no place.
*/
export function placeKeysOf(event: HardwareEvent, systemKey: string): readonly [place: string, ofSource: string] | undefined {
	const part = partOf(event);
	if (!part || part.place === '') return undefined;
	const place = digest(['place', systemKey, part.type, part.place, isTest(event)]);
	return [place, digest([place, event.source, textOf(event.attributes, 'callhome.profile') ?? ''])];
}

/**
The moment at which a machine's own clock says that something failed: several parts that fail at once have one cause. What a
bridge or a Collector has measured is dated by them, and of all parts alike, as is what came without a time; a test is no fault.
*/
export const momentKeysOf = (event: HardwareEvent, systemKey: string): readonly string[] =>
	event.measurement || isTest(event) || event.occurredAt === event.receivedAt
		? []
		: [digest(['moment', systemKey, event.occurredAt])];

/** By its name, its place or a short id, and by what the event says when it has none of them. */
function partOf({attributes, message}: HardwareEvent): Part | undefined {
	const type = textOf(attributes, 'hw.type') ?? '';
	const names = [textOf(attributes, 'hw.name'), textOf(attributes, 'hw.sensor_location'), textOf(attributes, 'hw.id')];
	const named = names.filter(name => name !== undefined && name.length <= 60);
	for (const text of named.length > 0 ? named : [message.slice(0, 300)]) {
		const part = partIn(`${type} ${text}`);
		if (part && part.place !== '') return {...part, type: isHardwareType(type) ? type : part.type};
	}
	return undefined;
}

/** A problem's id, from the event that began it: short enough to type. */
export const problemIdOf = (event: HardwareEvent, faultKey: string): string => `p${digest([event.id, faultKey]).slice(0, 12)}`;
