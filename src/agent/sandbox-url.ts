import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

/** Where the sandbox of a running bridge listens today: its port is a free one, and other commands want to find it. */
const fileIn = (storeDirectory: string) => join(storeDirectory, 'sandbox', 'url');

/** A disk that is full keeps nobody from starting; then nobody is led to the port of an earlier run, either. */
export function noteSandboxUrl(storeDirectory: string, url: URL): void {
	const file = fileIn(storeDirectory);
	rmSync(file, {force: true});
	try {
		writeFileSync(file, `${url.href}\n`);
	} catch {
		// Only `callhome test` misses it, and runs a sandbox of its own.
	}
}

/** Of use only while a bridge holds the directory. */
export function readSandboxUrl(storeDirectory: string): URL | undefined {
	try {
		return new URL(readFileSync(fileIn(storeDirectory), 'utf8').trim());
	} catch {
		return undefined;
	}
}
