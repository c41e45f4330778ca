import type {Attributes} from '../event.ts';
import type {System} from '../problem.ts';
import type {ProcessorsConfig} from './config.ts';
import {createMatcher} from './match.ts';

/** A time in which people work at a machine: what it reports then is held until the end, and is sent if it still lasts. */
export type MaintenanceWindow = {readonly until: number; readonly reason: string};

/** The window that a machine is in, the one that ends last; undefined when it is in none. */
export type FindMaintenance = (system: System | undefined, resource: Attributes, now: number) => MaintenanceWindow | undefined;

export const noMaintenance: FindMaintenance = () => undefined;

/** A machine is matched by the attributes of its resource and by its label, under the names that it has on a resource. */
export function createMaintenance(windows: ProcessorsConfig['maintenance']): FindMaintenance {
	if (windows.length === 0) return noMaintenance;
	const known = windows.map(({match, ...window}) => ({...window, matches: createMatcher(match)}));
	return function maintenanceOf(system, resource, now) {
		const attributes = {...resource, ...labelOf(system)};
		const current = known.filter(({from, to, matches}) => from <= now && now < to && matches(attributes));
		const [last] = current.toSorted((one, other) => other.to - one.to);
		return last && {until: last.to, reason: last.reason};
	};
}

const labelOf = (system: System | undefined): Attributes =>
	system
		? {
				'host.name': system.name,
				'callhome.system.type': system.machineType,
				'callhome.system.model': system.model,
				'callhome.system.serial_number': system.serialNumber,
			}
		: {};
