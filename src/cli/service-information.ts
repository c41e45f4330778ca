import {hostname} from 'node:os';
import {createPreview} from '../agent/backend.ts';
import {knownSystems} from '../agent/callhome.ts';
import {giveOrder} from '../agent/control.ts';
import {inventorySourcesOf, readInventories} from '../agent/inventory.ts';
import {marksIn} from '../agent/sources.ts';
import type {Config} from '../config.ts';
import {BridgeError, isBridgeError, toError} from '../errors.ts';
import type {Collected, InventorySource} from '../inventory.ts';
import {systemLabel} from '../problem.ts';
import {createIdentifyResource, toSystem} from '../processors/identify.ts';
import {systemHeartbeats} from '../sending/settling.ts';
import {bounded, inventorySubmission} from '../service-information/inventory.ts';
import {type CollectedTarget, sourcesNamed, targetName} from '../service-information/inventory-schedule.ts';
import type {Marks} from '../source.ts';
import {isLocked} from '../store/lock.ts';
import {openStoreForReading} from '../store/store.ts';
import {facts, type Output, printable, table, timeText} from './print.ts';

/** ESA's exit codes: 49 the collector did not start. */
const notStarted = 49;

const consentText = ({consent}: Config): string =>
	consent.inventory ? (consent.cases ? 'given' : 'given, and of no effect without consent.cases') : 'not given: none leaves';

/** What is collected and sent of each system, and when. */
export async function showServiceInformation(config: Config): Promise<Output> {
	const {heartbeat, inventory} = config.service_information;
	const {read, close} = openStoreForReading(config.store.directory);
	try {
		const beats = await read.readSettingsUnder(systemHeartbeats);
		const known = knownSystems(config).map(system => toSystem(system, hostname()));
		const heartbeats = known.map(system => {
			const at = beats.get(systemLabel(system));
			const last = at === undefined ? null : (timeText(Number(at)) ?? null);
			return {system: system.name, label: systemLabel(system), last_acknowledged: last};
		});
		const inventories = (await readInventories(read, inventory.interval)).flatMap(({states, lastSuccess, due}) =>
			states.map(({label, name, source, target, collectedAt, changedAt, parts, digest}) => ({
				system: name,
				label,
				source,
				target,
				parts,
				digest,
				collected: timeText(collectedAt),
				changed: timeText(changedAt),
				last_acknowledged: timeText(lastSuccess) ?? null,
				due: timeText(due),
			})),
		);
		const json = {
			heartbeat: {interval_seconds: heartbeat.interval / 1000, systems: heartbeats},
			inventory: {
				consent: config.consent.inventory && config.consent.cases,
				interval_seconds: inventory.interval / 1000,
				include: inventory.include,
				systems: inventories,
			},
		};
		return {json, lines: showLines(config, json)};
	} finally {
		await close();
	}
}

type Shown = {
	readonly heartbeat: {readonly systems: readonly {system: string; label: string; last_acknowledged: string | null}[]};
	readonly inventory: {
		readonly systems: readonly {
			label: string;
			system: string;
			source: string;
			target: string;
			parts: number;
			collected: string | undefined;
			changed: string | undefined;
			last_acknowledged: string | null;
		}[];
	};
};

function showLines(config: Config, {heartbeat, inventory}: Shown): string[] {
	const {heartbeat: beat, inventory: collected} = config.service_information;
	const beats = heartbeat.systems.map(({system, label, last_acknowledged}) => [system, label, last_acknowledged ?? 'never']);
	const rows = inventory.systems.map(entry => [
		entry.system,
		entry.label,
		targetName(entry),
		String(entry.parts),
		entry.collected ?? '',
		entry.changed ?? '',
		entry.last_acknowledged ?? 'never',
	]);
	const safe = (cells: readonly (readonly string[])[]) => cells.map(row => row.map(printable));
	return [
		...facts([
			['Heartbeat every', `${beat.interval / 1000} s`],
			['Inventory every', `${collected.interval / 1000} s`],
			['Inventory of', collected.include.join(', ')],
			['Consent to inventory', consentText(config)],
		]),
		'',
		...table(['HEARTBEAT OF', 'LABEL', 'LAST ACKNOWLEDGED'], safe(beats)),
		'',
		...(rows.length === 0
			? ['No inventory was collected yet.']
			: table(['INVENTORY OF', 'LABEL', 'FROM', 'PARTS', 'COLLECTED', 'CHANGED', 'LAST ACKNOWLEDGED'], safe(rows))),
	];
}

const previewMillis = 300_000;

/** Marks that a command may read and not write: what a bridge that runs has learned counts, and stays as it is. */
function marksForReading(config: Config): {readonly marks: Marks; close(): Promise<void>} {
	try {
		const store = openStoreForReading(config.store.directory);
		const {read} = marksIn({read: store.read, write: () => Promise.reject(new Error('only read'))});
		return {marks: {read, write: async () => {}}, close: store.close};
	} catch {
		return {marks: {read: async () => undefined, write: async () => {}}, close: async () => {}};
	}
}

/** Collects now and shows the messages that would leave, byte for byte but for the keys. Nothing is sent, queued or kept. */
export async function previewServiceInformation(
	config: Config,
	named: string,
	{signal, stderr = process.stderr, now = Date.now}: {signal: AbortSignal; stderr?: NodeJS.WritableStream; now?: () => number},
): Promise<Output> {
	const {marks, close} = marksForReading(config);
	const log = (_level: string, text: string) => void stderr.write(`${text}\n`);
	try {
		const sources = await inventorySourcesOf(config, {marks, log});
		if (sources.length === 0) throw nothingToCollect();
		const previewed = [];
		for (const source of sourcesNamed(sources, named)) {
			stderr.write(`collecting from ${targetName(source)}\n`);
			previewed.push(await previewOf(source, config, {signal, now}));
		}
		const messages = previewed.flatMap(({messages}) => messages);
		const troubles = previewed.flatMap(({troubles}) => troubles);
		const json = {sent: false, consent: config.consent.inventory && config.consent.cases, messages, troubles};
		stderr.write(`nothing was sent; consent to inventory: ${consentText(config)}\n`);
		for (const trouble of troubles) stderr.write(`${printable(trouble)}\n`);
		return {
			json,
			lines: messages.map(message => JSON.stringify(message, undefined, 2)),
			exitCode: messages.length > 0 ? 0 : notStarted,
		};
	} finally {
		await close();
	}
}

const nothingToCollect = () =>
	new BridgeError('ERR_NOT_FOUND', 'there is nothing to collect from: name system, or management modules under receivers');

async function previewOf(source: InventorySource, config: Config, {signal, now}: {signal: AbortSignal; now: () => number}) {
	const identify = createIdentifyResource(knownSystems(config));
	const preview = createPreview(config);
	try {
		const sections = new Set(config.service_information.inventory.include);
		const collected = await source.collect(sections, AbortSignal.any([signal, AbortSignal.timeout(previewMillis)]));
		const unknown = collected.filter(({resource}) => !identify(resource));
		return {
			messages: collected.flatMap(({resource, inventory}: Collected): unknown[] => {
				const system = identify(resource);
				return system ? [JSON.parse(preview(inventorySubmission(system, bounded(inventory), now())))] : [];
			}),
			troubles: unknown.map(
				({resource}) =>
					`${targetName(source)}: ${String(resource['host.name'] ?? 'a machine')} is not known: add it under systems`,
			),
		};
	} catch (error) {
		return {messages: [], troubles: [`${targetName(source)}: ${toError(error).message}`]};
	}
}

/** Has the bridge that runs collect now and queue what it finds. */
export async function collectServiceInformation(config: Config, named: string): Promise<Output> {
	const {directory} = config.store;
	try {
		if (!isLocked(directory))
			throw new BridgeError('ERR_NOT_READY', `no bridge runs on ${directory}: start it with "callhome run", it collects then`);
		const targets = (await giveOrder(directory, {operation: 'collect_inventory', named})) as readonly CollectedTarget[];
		const failed = targets.filter(({trouble}) => trouble !== '');
		const lines = targets.map(target =>
			printable(`${targetName(target)}: ${target.trouble || `collected and queued for ${target.systems.join(', ')}`}`),
		);
		return {json: targets, lines, exitCode: failed.length === targets.length ? notStarted : 0};
	} catch (error) {
		if (!isBridgeError(error, 'ERR_NOT_READY', 'ERR_USAGE', 'ERR_NOT_FOUND')) throw error;
		const {code, message} = error;
		return {json: {error: {code, message}}, lines: [`${code}: ${message}`], exitCode: notStarted};
	}
}
