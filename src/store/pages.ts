import {closeSync, fstatSync, openSync, readSync} from 'node:fs';
import {pageSize} from './sqlite.ts';
import {readWal} from './wal.ts';

export type Value = string | number | null;
export type PageRow = {readonly rowid: number; readonly values: readonly Value[]};

type ReadPage = (page: number) => Buffer;

/** First byte of a page that holds rows of a table (sqlite.org/fileformat2.html, section 1.6). */
const tableLeaf = 0x0d;
const firstPageHeader = 100;
/** How much of a row lies in its own page at the most, and at the least when the rest lies elsewhere. */
const mostLocal = pageSize - 35;
const leastLocal = Math.floor(((pageSize - 12) * 32) / 255) - 23;

/**
All rows of all tables that a damaged file still holds, page by page: neither the file's header nor the tree that leads
to a page is needed, so a damaged page costs its own rows only.
*/
export function* rowsOfPages(file: string): Generator<PageRow> {
	const wal = readWal(`${file}-wal`);
	const database = openIfThere(file);
	const log = wal.pages.size > 0 ? openIfThere(`${file}-wal`) : undefined;
	const pages = Math.max(database ? Math.ceil(fstatSync(database).size / pageSize) : 0, ...wal.pages.keys());
	const readPage: ReadPage = page => {
		const logged = wal.pages.get(page);
		return logged === undefined ? readFrom(database, (page - 1) * pageSize) : readFrom(log, logged);
	};
	try {
		for (let page = 1; page <= pages; page++) yield* rowsOfPage(readPage(page), page, readPage);
	} finally {
		for (const descriptor of [database, log]) if (descriptor !== undefined) closeSync(descriptor);
	}
}

function openIfThere(path: string): number | undefined {
	try {
		return openSync(path, 'r');
	} catch {
		return undefined;
	}
}

function readFrom(descriptor: number | undefined, position: number): Buffer {
	const bytes = Buffer.alloc(pageSize);
	try {
		if (descriptor !== undefined) readSync(descriptor, bytes, 0, pageSize, position);
	} catch {
		bytes.fill(0); // A sector that the disk cannot read.
	}
	return bytes;
}

function* rowsOfPage(bytes: Buffer, page: number, readPage: ReadPage): Generator<PageRow> {
	const start = page === 1 ? firstPageHeader : 0;
	if (bytes[start] !== tableLeaf) return;
	const cells = Math.min(bytes.readUInt16BE(start + 3), Math.floor((pageSize - start - 8) / 2));
	for (let cell = 0; cell < cells; cell++) {
		const row = readCell(bytes, bytes.readUInt16BE(start + 8 + 2 * cell), readPage);
		if (row) yield row;
	}
}

/** A row, or undefined where the bytes make none: they were damaged. */
function readCell(bytes: Buffer, at: number, readPage: ReadPage): PageRow | undefined {
	try {
		const length = readVarint(bytes, at);
		const rowid = readVarint(bytes, length.end);
		return {rowid: rowid.value, values: readRecord(readPayload(bytes, rowid.end, length.value, readPage))};
	} catch (error) {
		if (error instanceof RangeError) return undefined;
		throw error;
	}
}

/** A long payload goes on in a chain of pages, each of which names the next. */
function readPayload(bytes: Buffer, at: number, length: number, readPage: ReadPage): Buffer {
	if (length <= mostLocal) return slice(bytes, at, length);
	const wished = leastLocal + ((length - leastLocal) % (pageSize - 4));
	const local = wished <= mostLocal ? wished : leastLocal;
	const parts = [slice(bytes, at, local)];
	const seen = new Set([0]);
	let next = bytes.readUInt32BE(at + local);
	for (let missing = length - local; missing > 0; missing -= pageSize - 4) {
		if (seen.has(next)) throw new RangeError('the chain of pages ends too soon, or leads back');
		seen.add(next);
		const page = readPage(next);
		parts.push(slice(page, 4, Math.min(missing, pageSize - 4)));
		next = page.readUInt32BE(0);
	}
	return Buffer.concat(parts);
}

function slice(bytes: Buffer, at: number, length: number): Buffer {
	if (at + length > bytes.length) throw new RangeError('beyond the end');
	return bytes.subarray(at, at + length);
}

/** Seven bits a byte, the highest first, and eight in a ninth byte. */
function readVarint(bytes: Buffer, at: number): {readonly value: number; readonly end: number} {
	let value = 0;
	for (let index = 0; index < 8; index++) {
		const byte = bytes.readUInt8(at + index);
		value = value * 128 + (byte & 0x7f);
		if (byte < 0x80) return {value, end: at + index + 1};
	}
	throw new RangeError('larger than any number that a store holds');
}

function readRecord(payload: Buffer): Value[] {
	const header = readVarint(payload, 0);
	const values: Value[] = [];
	let at = header.end;
	let from = header.value;
	while (at < header.value) {
		const type = readVarint(payload, at);
		const width = widthOf(type.value);
		values.push(readValue(slice(payload, from, width), type.value));
		at = type.end;
		from += width;
	}
	return values;
}

const integerWidths = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];
const widthOf = (type: number): number => integerWidths[type] ?? Math.floor((type - 12) / 2);

function readValue(bytes: Buffer, type: number): Value {
	if (type === 0) return null;
	if (type <= 5) return bytes.readIntBE(0, bytes.length);
	if (type === 6) return Number(bytes.readBigInt64BE(0));
	if (type === 7) return bytes.readDoubleBE(0);
	if (type === 8 || type === 9) return type - 8;
	if (type < 13 || type % 2 === 0) throw new RangeError('a type that no column of a store has');
	return readText(bytes);
}

const utf8 = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

function readText(bytes: Buffer): string {
	try {
		return utf8.decode(bytes);
	} catch (cause) {
		throw new RangeError('no UTF-8', {cause});
	}
}
