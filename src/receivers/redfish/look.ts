import {z} from 'zod';
import {BridgeError} from '../../errors.ts';
import type {Attributes, HardwareEvent} from '../../event.ts';
import type {SourceParts} from '../../source.ts';
import {entryKey, entryTold, stateOfHealth, type Told, toEvent, typeOfPath} from './alert.ts';
import type {Client} from './client.ts';
import type {RedfishSystem} from './config.ts';
import {isObject, type Json, keyOf, linkIn, textIn} from './json.ts';
import {type Leaf, leavesOf, readingsOf} from './parts.ts';

const markSchema = z.object({
	/** The entries of each log, as they were. */
	logs: z.record(z.string(), z.array(z.string())),
	levels: z.record(z.string(), z.object({state: z.string(), turn: z.int()})),
	/** Whether a roll-up is bad that no part explains. */
	unexplained: z.boolean(),
});
type Mark = z.output<typeof markSchema>;

function readMark(text: string | undefined): Mark {
	try {
		return markSchema.parse(JSON.parse(text ?? ''));
	} catch {
		return {logs: {}, levels: {}, unexplained: false}; // As on the first look: the health of the parts is told again.
	}
}

/** IBM writes the machine type and model in one word, such as 8871-AC1 or [8871AC1]; a type begins with a digit. */
const labelIn = (value: unknown): RegExpExecArray | null =>
	/\b(\d[0-9A-Z]{3})-?([0-9A-Z]{3})\b/.exec(textIn(value)?.slice(0, 200) ?? '');

/** What the configuration says counts; the module's own words fill the gaps. */
export function identityOf(system: Json | undefined, {url, name, machine_type, model, serial_number}: RedfishSystem): Attributes {
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

/** Entries of a log that is seen for the first time are history: what is wrong now, the health of the parts tells. */
async function newEntries(client: Client, owners: readonly Json[], mark: Mark): Promise<{told: Told[]; logs: Mark['logs']}> {
	const told: Told[] = [];
	const logs: Mark['logs'] = Object.create(null);
	for (const owner of owners)
		for (const service of await client.members(linkIn(owner.LogServices) ?? `${linkIn(owner)}/LogServices`)) {
			const path = linkIn(service.Entries);
			if (path === undefined || logs[path] !== undefined) continue;
			const unread = client.unread().length;
			const entries = await client.members(path);
			if (client.unread().length > unread) continue; // A part of a log would make the rest of it news the next time.
			const before = Object.hasOwn(mark.logs, path) ? new Set(mark.logs[path]) : undefined;
			logs[path] = entries.map(entryKey);
			const fresh = before ? entries.filter(entry => !before.has(entryKey(entry))) : [];
			told.push(...fresh.map(entry => entryTold(entry, path)).filter(each => each !== undefined));
		}
	return {told, logs};
}

/** A first `ok` is no news. A turn that is told again, because its mark could not be written, is the same event. */
function changes(leaves: readonly Leaf[], mark: Mark): {told: Told[]; levels: Mark['levels']} {
	const levels: Mark['levels'] = Object.assign(Object.create(null), mark.levels);
	const told: Told[] = [];
	for (const {path, name, state} of leaves) {
		const before = levels[path] ?? {state: 'ok', turn: 0};
		if (state === undefined || state === before.state) continue;
		const turn = before.turn + 1;
		levels[path] = {state, turn};
		told.push({
			identity: ['health', path, state, turn],
			id: path,
			type: typeOfPath(path),
			name,
			state,
			message: `${name}: ${state.replace('_', ' ')}`,
		});
	}
	return {told, levels};
}

const isBad = (resource: Json): boolean => {
	const state = isObject(resource.Status) ? stateOfHealth(resource.Status.HealthRollup) : undefined;
	return state !== undefined && state !== 'ok';
};

/** One look at one machine: its logs and its parts. The mark is written when the events are kept. Answers who it is. */
export async function lookAt(client: Client, target: RedfishSystem, parts: SourceParts): Promise<Attributes> {
	const now = (parts.now ?? Date.now)();
	const key = keyOf(target);
	const mark = readMark(await parts.marks.read(key));
	const root = await client.get('/redfish/v1/');
	if (!root) throw new BridgeError('ERR_MALFORMED', `there is no Redfish service: ${client.unread()[0] ?? '/redfish/v1/ (404)'}`);
	const collection = (name: string) => client.members(linkIn(root[name]) ?? `/redfish/v1/${name}`);
	const [systems, managers, chassis] = [await collection('Systems'), await collection('Managers'), await collection('Chassis')];
	if (systems.length + managers.length + chassis.length === 0)
		throw new BridgeError('ERR_MALFORMED', `no system, manager or chassis can be read: ${client.unread().join(', ')}`);
	const resource = identityOf(systems[0], target);
	const logged = await newEntries(client, [...systems, ...managers, ...chassis], mark);
	const leaves = await leavesOf(client, systems, chassis);
	const turned = changes(leaves, mark);
	const events: HardwareEvent[] = [
		...logged.told.map(told => toEvent(told, resource, now)),
		...turned.told.map(told => toEvent(told, resource, now, 'redfish/health')),
	];
	if (events.length > 0) await parts.consume(events);
	const unexplained = [...systems, ...chassis].some(isBad) && leaves.every(({state = 'ok'}) => state === 'ok');
	if (unexplained && !mark.unexplained)
		parts.log('warn', `Redfish ${target.url.host}: the rolled-up health is bad, and no part that was read explains it`);
	await parts.marks.write(key, JSON.stringify({logs: {...mark.logs, ...logged.logs}, levels: turned.levels, unexplained}));
	parts.measure('redfish', resource, leaves.flatMap(readingsOf), now);
	return resource;
}
