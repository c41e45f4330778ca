import {once} from 'node:events';
import {mkdtemp, rm} from 'node:fs/promises';
import {createServer, type RequestListener} from 'node:http';
import {type AddressInfo, createServer as createSocketServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import type {ExecutionContext} from 'ava';

/** A real server on a free port, closed when the test ends. */
export async function listen(t: ExecutionContext, listener: RequestListener): Promise<URL> {
	const server = createServer(listener).listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

/**
A port for a peer that cannot be told to choose one. Below the range from which the kernel serves port 0 and outgoing
connections, so that nothing takes it between this call and the peer's start.
*/
export async function freePort(random = Math.random): Promise<number> {
	for (let attempt = 0; attempt < 50; attempt++) {
		const port = 12_000 + Math.floor(random() * 20_000);
		if (await isFree(port)) return port;
	}
	throw new Error('found no free port on 127.0.0.1 between 12000 and 31999');
}

async function isFree(port: number): Promise<boolean> {
	const server = createSocketServer().listen(port, '127.0.0.1');
	try {
		await once(server, 'listening');
		return true;
	} catch {
		return false;
	} finally {
		server.close();
	}
}

/** A directory that goes when the test ends, after everything that was started later has been stopped. */
export async function temporaryDirectory(t: ExecutionContext): Promise<string> {
	const directory = await mkdtemp(join(tmpdir(), 'callhome-test-'));
	t.teardown(() => rm(directory, {recursive: true, force: true, maxRetries: 3}));
	return directory;
}

type Falsy = false | 0 | '' | null | undefined;

/**
Asks again until the answer is truthy, and returns it. A throw counts as "not yet", and is the cause when time runs out.
No AVA assertion belongs in `ask`: one that fails ends the test although a later one would pass.
*/
export async function eventually<T>(
	ask: () => T | Promise<T>,
	{timeoutMillis = 15_000, intervalMillis = 20} = {},
): Promise<Exclude<T, Falsy>> {
	const deadline = Date.now() + timeoutMillis;
	let last: {readonly answer?: unknown; readonly cause?: unknown} = {};
	do {
		try {
			const answer = await ask();
			if (answer) return answer as Exclude<T, Falsy>;
			last = {answer};
		} catch (cause) {
			last = {cause};
		}
		await pause(intervalMillis);
	} while (Date.now() < deadline);
	throw new Error(`not within ${timeoutMillis} ms: ${last.cause ?? `the last answer was ${String(last.answer)}`}`, {
		cause: last.cause,
	});
}
