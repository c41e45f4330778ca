import {z} from 'zod';
import {BridgeError} from '../../errors.ts';
import type {HardwareEvent} from '../../event.ts';
import type {SourceParts} from '../../source.ts';
import {stateOfHealth, type Told, typeOfPath} from './alert.ts';
import type {Client} from './client.ts';
import type {RedfishSystem} from './config.ts';
import {isObject, type Json, keyOf, linkIn} from './json.ts';
import {type LogsRead, readLogs} from './logs.ts';
import {eventsFor, ownersOf, type ToEvents} from './owners.ts';
import {type Leaf, leavesOf, readingsOf} from './parts.ts';

const markSchema = z.object({
	logs: z.record(
		z.string(),
		z.union([
			z.object({keys: z.array(z.string()), count: z.int(), newest: z.number().optional()}),
			z.array(z.string()).transform(keys => ({keys, count: keys.length})), // As earlier versions wrote it.
		]),
	),
	levels: z.record(
		z.string(),
		z.object({
			state: z.string(),
			turn: z.int(),
			/** What it has been since, without having been believed so far. */
			better: z.object({state: z.string(), since: z.number()}).optional(),
		}),
	),
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

const weights: Readonly<Record<string, number>> = {ok: 0, degraded: 1, predicted_failure: 1, failed: 2};
const isWorse = (state: string, before: string): boolean => (weights[state] ?? 0) > (weights[before] ?? 0);

/**
A first `ok` is no news. What is worse is told at once, and what is better when it has lasted: a part that flickers is one
fault. A turn that is told again, because its mark could not be written, is the same event.
*/
function changes(leaves: readonly Leaf[], before: Mark['levels'], delayMillis: number, now: number) {
	const levels: Mark['levels'] = Object.assign(Object.create(null), before);
	const told: Told[] = [];
	for (const {path, name, state, of, described} of leaves) {
		const {better, ...level} = levels[path] ?? {state: 'ok', turn: 0};
		if (state === undefined) continue;
		if (state === level.state) {
			if (better) levels[path] = level;
			continue;
		}
		const since = better?.state === state && better.since <= now ? better.since : now;
		if (!isWorse(state, level.state) && now - since < delayMillis) {
			levels[path] = {...level, better: {state, since}};
			continue;
		}
		const turn = level.turn + 1;
		levels[path] = {state, turn};
		const message = `${name}: ${state.replace('_', ' ')}`;
		const attributes = {...described, ...(of !== undefined && {'redfish.place': of})};
		told.push({
			identity: ['health', path, state, turn],
			id: path,
			type: typeOfPath(path),
			name,
			state,
			message,
			attributes,
			isStanding: true,
		});
	}
	return {told, levels};
}

const isBad = (resource: Json): boolean => {
	const state = isObject(resource.Status) ? stateOfHealth(resource.Status.HealthRollup) : undefined;
	return state !== undefined && state !== 'ok';
};

export type Looked = {
	readonly toEvents: ToEvents;
	/** Logs that are too large to be read whole. */
	readonly cut: LogsRead['cut'];
};

export type Manner = {
	/** Each log is read to its end. */
	readonly isThorough: boolean;
	/** So long a part stays well before that is told. */
	readonly recoveryMillis: number;
	/** From one look to the next. */
	readonly everyMillis: number;
};

/** One look at one machine: its logs and its parts. The mark is written when the events are kept. */
export async function lookAt(
	client: Client,
	target: RedfishSystem,
	parts: SourceParts,
	{isThorough, recoveryMillis, everyMillis}: Manner,
): Promise<Looked> {
	const now = (parts.now ?? Date.now)();
	const key = keyOf(target);
	const before = await parts.marks.read(key);
	const mark = readMark(before);
	const root = await client.get('/redfish/v1/');
	if (!root) throw new BridgeError('ERR_MALFORMED', `there is no Redfish service: ${client.unread()[0] ?? '/redfish/v1/ (404)'}`);
	const collection = (name: string) => client.members(linkIn(root[name]) ?? `/redfish/v1/${name}`);
	const [systems, managers, chassis] = [await collection('Systems'), await collection('Managers'), await collection('Chassis')];
	if (systems.length + managers.length + chassis.length === 0)
		throw new BridgeError('ERR_MALFORMED', `no system, manager or chassis can be read: ${client.unread().join(', ')}`);
	const owners = ownersOf(systems, chassis, target);
	const logged = await readLogs(client, [...systems, ...managers, ...chassis], mark.logs, isThorough);
	const leaves = await leavesOf(client, systems, chassis);
	const toEvents = eventsFor(owners, leaves);
	const turned = changes(leaves, mark.levels, recoveryMillis, now);
	const events: HardwareEvent[] = [...toEvents(logged.told, now), ...toEvents(turned.told, now, 'redfish/health')];
	if (events.length > 0) await parts.consume(events);
	const unexplained = [...systems, ...chassis].some(isBad) && leaves.every(({state = 'ok'}) => state === 'ok');
	if (unexplained && !mark.unexplained)
		parts.log('warn', `Redfish ${target.url.host}: the rolled-up health is bad, and no part that was read explains it`);
	const after = JSON.stringify({logs: logged.marks, levels: turned.levels, unexplained});
	if (after !== before) await parts.marks.write(key, after);
	if (leaves.length === 0) parts.measure('redfish', owners(), [], now);
	for (const [resource, own] of Map.groupBy(leaves, ({path, of}) => owners(path, of)))
		parts.measure('redfish', resource, own.flatMap(readingsOf), now, everyMillis);
	return {toEvents, cut: logged.cut};
}
