import {z} from 'zod';
import type {Marks} from '../../source.ts';
import type {Finding} from './alert.ts';
import type {HostReceiverConfig, Roots} from './config.ts';
import {numberOf, type Opened, withDatabase} from './database.ts';
import {diskOf} from './disks.ts';
import {readMark, writeMark} from './marks.ts';
import {rasTables, rowToFinding} from './ras-rows.ts';
import type {HostSource, Look} from './runner.ts';
import {createThinning} from './thin.ts';

const markSchema = z.object({inode: z.string(), ids: z.record(z.string(), z.int())});
type Mark = z.output<typeof markSchema>;

const mostRows = 500;

export type RasParts = {readonly marks: Marks; readonly roots: Roots; readonly now: () => number};

/** The database in which rasdaemon keeps what the kernel's trace events told it. */
export function rasDatabaseSource(config: HostReceiverConfig['ras_database'], parts: RasParts): HostSource {
	const {marks, roots, now} = parts;
	const key = 'host/ras_database';
	const thin = createThinning();

	async function look(): Promise<Look> {
		const mark = await readMark(marks, key, markSchema);
		const read = await withDatabase(config.file, 'rasdaemon', database => readNews(database, mark));
		if (read.status !== 'read') return read;
		const {rows, next, more, known} = read.result;
		if (!known) return {status: 'failing', reason: `${config.file} has none of the tables of rasdaemon`};
		const since = mark ? 0 : now() - config.history;
		const told = rows
			.flatMap(({table, row}) => rowToFinding(table, row, next.inode) ?? [])
			.filter(({occurredAt}) => occurredAt === undefined || occurredAt >= since);
		const findings = await Promise.all(told.map(finding => withDisk(finding, roots)));
		const isMoved = JSON.stringify(next) !== JSON.stringify(mark);
		return {
			status: 'read',
			findings: thin(findings, now()),
			more,
			...(isMoved && {settle: () => writeMark(marks, key, next)}),
		};
	}
	return {name: 'ras_database', intervalMillis: config.interval, wakeOn: [config.file], look};
}

/** rasdaemon knows a disk by its device alone, such as `sda`. */
async function withDisk(finding: Finding, roots: Roots): Promise<Finding> {
	const device = /^physical_disk\/(?:.*\b)?((?:sd|hd|vd|nvme)[a-z0-9]+)\b/.exec(finding.part.id)?.[1];
	return device === undefined ? finding : {...finding, part: await diskOf(roots, device)};
}

/** A new file, or a table whose ids have gone back, is read from its beginning. */
function readNews(database: Opened, mark: Mark | undefined) {
	const tables = Object.keys(rasTables).filter(table => database.has(table));
	const sameFile = mark?.inode === database.inode;
	const ids: Record<string, number> = {};
	let more = false;
	const rows = tables.flatMap(table => {
		const seen = sameFile ? (mark?.ids[table] ?? 0) : 0;
		const after = database.highest(table) < seen ? 0 : seen;
		const found = database.rowsAfter(table, after, mostRows);
		ids[table] = found.reduce((highest, row) => Math.max(highest, numberOf(row, 'id') ?? 0), after);
		more ||= found.length === mostRows;
		return found.map(row => ({table, row}));
	});
	return {rows, more, known: tables.length > 0, next: {inode: database.inode, ids}};
}
