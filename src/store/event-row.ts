import type {Selectable} from 'kysely';
import type {Decision, HardwareEvent} from '../event.ts';
import {parseKept} from './failures.ts';
import {type EventTable, whole} from './schema.ts';

export type KeptEvent = {readonly event: HardwareEvent; readonly problemId: string; readonly decision: Decision};

/** JSON has neither bigint nor NaN and infinities: they are kept as text, as OTLP/JSON writes them. */
const toJson = (event: HardwareEvent): string =>
	JSON.stringify(event, (_key, value) => {
		const isText = typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value));
		return isText ? String(value) : value;
	});

/** An id as the store compares it: UTF-8 has no lone surrogates, and two ids must not become one. */
export const toKeptId = (id: string): string => (id.isWellFormed() ? id : JSON.stringify(id));

export const toKeptEvent = (row: Selectable<EventTable>): KeptEvent => ({
	event: parseKept(row.body),
	problemId: row.problem_id,
	decision: row.decision as Decision,
});

export const toRow = ({event, problemId, decision}: KeptEvent) => ({
	id: toKeptId(event.id),
	problem_id: problemId,
	decision,
	received_at: whole(event.receivedAt),
	body: toJson(event),
});
