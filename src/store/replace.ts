import {closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync} from 'node:fs';
import {dirname} from 'node:path';

/**
How a new file takes the place of a damaged one, so that a kill at any moment loses neither:

	FILE damaged ──▶ FILE.part is filled ──▶ renamed FILE.new ──▶ FILE renamed FILE.set-aside-… ──▶ FILE.new renamed FILE

As long as there is a FILE, what is half done beside it is begun anew. Without one, FILE.new is complete and takes its place.
*/
const besides = ['', '-wal', '-journal', '-shm'];
const partOf = (file: string) => `${file}.part`;
const newOf = (file: string) => `${file}.new`;

/** Makes what was renamed in a directory survive a power cut. */
export function syncDirectory(directory: string): void {
	const descriptor = openSync(directory, 'r');
	try {
		fsyncSync(descriptor);
	} finally {
		closeSync(descriptor);
	}
}

/** The file to fill; what an earlier start left of one is gone. */
export function beginReplacement(file: string): string {
	for (const name of [partOf(file), newOf(file)]) for (const suffix of besides) rmSync(name + suffix, {force: true});
	return partOf(file);
}

/** The filled file is complete, closed and synced: it takes the damaged one's place, which goes to `movedTo`. */
export function completeReplacement(file: string, movedTo: string): void {
	renameSync(partOf(file), newOf(file));
	syncDirectory(dirname(file));
	moveAside(file, movedTo);
	renameSync(newOf(file), file);
	syncDirectory(dirname(file));
}

/** Goes on where a start was killed between the renames. */
export function resumeReplacement(file: string, movedTo: string): void {
	if (existsSync(file) || !existsSync(newOf(file))) return;
	moveAside(file, movedTo);
	renameSync(newOf(file), file);
	syncDirectory(dirname(file));
}

/** The file itself first: a log without its file is moved at the next start, a file without its log would look sound. */
function moveAside(file: string, movedTo: string): void {
	for (const suffix of besides) if (existsSync(file + suffix)) renameSync(file + suffix, movedTo + suffix);
}

/** A name that nothing has: the clock may have been set back. */
export function freeName(file: string, at: number): string {
	const name = `${file}.set-aside-${new Date(at).toISOString().replaceAll(/[-:.]/g, '')}`;
	const isFree = (candidate: string) => besides.every(suffix => !existsSync(candidate + suffix));
	for (let number = 1; ; number++) {
		const candidate = number === 1 ? name : `${name}-${number}`;
		if (isFree(candidate)) return candidate;
	}
}
