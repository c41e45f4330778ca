import {closeSync, fstatSync, openSync, readSync} from 'node:fs';
import {endianness} from 'node:os';
import {pageSize} from './sqlite.ts';

/** The write-ahead log as it lies on the disk (sqlite.org/fileformat2.html, section 4). */
const headerLength = 32;
const frameHeaderLength = 24;
const frameLength = frameHeaderLength + pageSize;
/** The lowest bit tells the byte order of the checksums. */
const magic = 0x377f0682;

export type Wal = {
	/** Where the newest committed content of a page begins in the file, by page number. */
	readonly pages: ReadonlyMap<number, number>;
	/** A commit lies behind a damaged place: SQLite would silently forget it. */
	readonly damaged: boolean;
};

type Checksum = readonly [number, number];

function addTo([first, second]: Checksum, bytes: Buffer, littleEndian: boolean): Checksum {
	let a = first;
	let b = second;
	for (let at = 0; at < bytes.length; at += 8) {
		a = (a + (littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)) + b) >>> 0;
		b = (b + (littleEndian ? bytes.readUInt32LE(at + 4) : bytes.readUInt32BE(at + 4)) + a) >>> 0;
	}
	return [a, b];
}

const checksumAt = (bytes: Buffer, at: number): Checksum => [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];
const same = (one: Checksum, other: Checksum): boolean => one[0] === other[0] && one[1] === other[1];

/** The log's salts and byte order; those of the first frame when the header itself is damaged. */
function readHeader(bytes: Buffer, firstFrame: Buffer) {
	const word = bytes.readUInt32BE(0);
	const littleEndian = word === magic;
	const sound =
		(littleEndian || word === magic + 1) &&
		same(addTo([0, 0], bytes.subarray(0, 24), littleEndian), checksumAt(bytes, 24)) &&
		bytes.readUInt32BE(8) === pageSize;
	if (sound) return {sound, salts: checksumAt(bytes, 16), littleEndian};
	return {sound, salts: checksumAt(firstFrame, 8), littleEndian: endianness() === 'LE'};
}

/** Reads the log beside a database; without one there are no pages and no damage. */
export function readWal(file: string): Wal {
	let descriptor: number;
	try {
		descriptor = openSync(file, 'r');
	} catch {
		return {pages: new Map(), damaged: false};
	}
	try {
		return readFrames(descriptor, fstatSync(descriptor).size);
	} finally {
		closeSync(descriptor);
	}
}

/**
Each frame's checksum goes on from the one before, so a frame behind a damaged one is still checked against what that one
says its checksum was. Frames with other salts are left over from before the last checkpoint.
*/
function readFrames(descriptor: number, size: number): Wal {
	const pages = new Map<number, number>();
	const count = Math.floor((size - headerLength) / frameLength);
	if (count < 1) return {pages, damaged: false};
	const headerBytes = Buffer.alloc(headerLength);
	const frame = Buffer.alloc(frameLength);
	readAt(descriptor, headerBytes, 0);
	readAt(descriptor, frame, headerLength);
	const {sound, salts, littleEndian} = readHeader(headerBytes, frame);
	let previous = checksumAt(headerBytes, 24);
	let broken = !sound;
	let damaged = false;
	let uncommitted: (readonly [page: number, offset: number])[] = [];
	for (let index = 0; index < count; index++) {
		const offset = headerLength + index * frameLength;
		readAt(descriptor, frame, offset);
		const isCurrent = same(checksumAt(frame, 8), salts);
		const expected = addTo(addTo(previous, frame.subarray(0, 8), littleEndian), frame.subarray(frameHeaderLength), littleEndian);
		previous = checksumAt(frame, 16);
		if (!isCurrent || !same(expected, previous)) {
			broken = true;
			continue;
		}
		uncommitted.push([frame.readUInt32BE(0), offset + frameHeaderLength]);
		if (frame.readUInt32BE(4) === 0) continue;
		for (const [page, at] of uncommitted) pages.set(page, at);
		uncommitted = [];
		damaged ||= broken;
	}
	return {pages, damaged};
}

/** A sector that cannot be read counts as zeros: its checksum will not fit. */
function readAt(descriptor: number, bytes: Buffer, position: number): void {
	bytes.fill(0);
	try {
		readSync(descriptor, bytes, 0, bytes.length, position);
	} catch {
		bytes.fill(0);
	}
}
