import type {Attributes, HardwareEvent} from '../../event.ts';
import {partIn} from '../../hardware.ts';
import {type Told, toEvent, typeOfPath} from './alert.ts';
import type {RedfishSystem} from './config.ts';
import {isObject, type Json, linkIn, textIn} from './json.ts';
import type {Leaf} from './parts.ts';

/** IBM writes the machine type and model in one word, such as 8871-AC1 or [8871AC1]; a type begins with a digit. */
const labelIn = (value: unknown): RegExpExecArray | null =>
	/\b(\d[0-9A-Z]{3})-?([0-9A-Z]{3})\b/.exec(textIn(value)?.slice(0, 200) ?? '');

type Named = Pick<RedfishSystem, 'url' | 'name' | 'machine_type' | 'model' | 'serial_number'>;

/** What the configuration says counts; the module's own words fill the gaps. */
function identityOf(system: Json | undefined, {url, name, ...named}: Named): Attributes {
	const [machine_type, model, serial_number] = [named.machine_type, named.model, named.serial_number].map(text =>
		text?.toUpperCase(),
	);
	const isIbm = /ibm|lenovo/i.test(textIn(system?.Manufacturer)?.slice(0, 200) ?? '');
	const [, type = '', kind = ''] = (isIbm && (labelIn(system?.Model) ?? labelIn(system?.SKU))) || [];
	const serial = serial_number ?? textIn(system?.SerialNumber)?.trim().slice(0, 32);
	return {
		'host.name': name ?? textIn(system?.HostName)?.slice(0, 255) ?? url.hostname,
		'server.address': url.host,
		...((machine_type ?? type) && {'callhome.system.type': machine_type ?? type}),
		...((model ?? kind) && {'callhome.system.model': model ?? kind}),
		...(serial && {'callhome.system.serial_number': serial}),
	};
}

/** The machine that something is of, by its address or, failing that, by that of the log that tells of it. */
export type Owners = (...paths: readonly (string | undefined)[]) => Attributes;

const isBelow = (path: string, owner: string): boolean =>
	path === owner || path.startsWith(`${owner}/`) || path.startsWith(`${owner}#`);

/** Where an alert was told. */
const placeOf = ({attributes}: Told): string | undefined => textIn(attributes?.['redfish.place']);

/**
Behind a module there is one machine, as a rule. Where there are several, each is known by what lies below it and below the
chassis that names it alone. The rest is of the enclosure, which is who the configuration names: no case is to be opened for
a machine that only stands first in a list.
*/
export function ownersOf(systems: readonly Json[], chassis: readonly Json[], target: RedfishSystem): Owners {
	if (systems.length < 2) {
		const only = identityOf(systems[0], target);
		return () => only;
	}
	const {url, name = url.hostname} = target;
	const known = new Map<string, Attributes>();
	for (const system of systems) {
		const path = linkIn(system);
		const own = {url, name: textIn(system.HostName)?.slice(0, 255) ?? `${name}/${textIn(system.Id) ?? path}`};
		if (path !== undefined) known.set(path, identityOf(system, own));
	}
	for (const each of chassis) {
		const path = linkIn(each);
		const links = isObject(each.Links) && Array.isArray(each.Links.ComputerSystems) ? each.Links.ComputerSystems : [];
		const system = links.length === 1 ? known.get(linkIn(links[0]) ?? '') : undefined;
		if (path !== undefined && system) known.set(path, system);
	}
	const enclosure = identityOf(undefined, target);
	return function ownerOf(...paths) {
		for (const path of paths)
			for (const [owner, resource] of known) if (path !== undefined && isBelow(path, owner)) return resource;
		return enclosure;
	};
}

/** Makes events of what a module tells, each of the machine and the part that it is about. */
export type ToEvents = (told: readonly Told[], now: number, source?: string) => HardwareEvent[];

/**
Many modules do not say in their logs which of their parts an entry is about. Where its words fit one part alone, it is of that
part, so that the part's own health ends what the log began.
*/
export function eventsFor(owners: Owners, leaves: readonly Leaf[]): ToEvents {
	const placed = leaves.flatMap(leaf => {
		const part = partIn(leaf.name);
		const isPlaced = part !== undefined && part.place !== '' && part.type === typeOfPath(leaf.path);
		return isPlaced ? [{leaf, id: `${part.type}/${part.place}`, owner: owners(leaf.path, leaf.of)}] : [];
	});
	return function toEvents(told, now, source) {
		return told.map(each => {
			const owner = owners(each.id, placeOf(each));
			const [found, ...others] = placed.filter(({id, owner: whose}) => id === each.id && whose === owner);
			const isOne = found !== undefined && others.length === 0;
			return toEvent(isOne ? {...each, id: found.leaf.path, name: found.leaf.name} : each, owner, now, source);
		});
	};
}
