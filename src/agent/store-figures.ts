import {stat, statfs} from 'node:fs/promises';
import {hostname} from 'node:os';
import {join} from 'node:path';
import type {Config} from '../config.ts';
import type {SystemsNow} from '../own-telemetry/systems.ts';
import {systemLabel} from '../problem.ts';
import type {KnownSystem} from '../processors/config.ts';
import {toSystem} from '../processors/identify.ts';
import {systemHeartbeats} from '../sending/settling.ts';
import type {Store} from '../store/store.ts';
import {inventoriesBySystem} from './inventory.ts';

/** What is known of each monitored system at one moment. */
export function readSystems(
	store: Pick<Store, 'snapshot'>,
	configured: readonly KnownSystem[],
	inventoryIntervalMillis?: number,
): () => Promise<SystemsNow> {
	const known = configured.map(system => toSystem(system, hostname()));
	return async function systems() {
		return store.snapshot(async records => {
			const heartbeats = await records.readSettingsUnder(systemHeartbeats);
			return {
				known,
				...(inventoryIntervalMillis !== undefined && {
					inventories: await inventoriesBySystem(records, configured, inventoryIntervalMillis),
				}),
				unfinished: await records.tallyUnfinished(),
				lastHeartbeat: system => {
					const at = heartbeats.get(systemLabel(system));
					return at === undefined ? undefined : Number(at);
				},
			};
		});
	};
}

/** Bytes that the store takes, and by which it may still grow. */
export function readRoom({directory, max_size}: Config['store']): () => Promise<{used: number; available: number}> {
	const sizeOf = async (name: string) => (await stat(join(directory, name)).catch(() => undefined))?.size ?? 0;
	return async function room() {
		const [file, log] = await Promise.all([sizeOf('callhome.db'), sizeOf('callhome.db-wal')]);
		const {bavail, bsize} = await statfs(directory);
		return {used: file + log, available: Math.max(0, Math.min(bavail * bsize, (max_size ?? Number.POSITIVE_INFINITY) - file))};
	};
}
