import {once} from 'node:events';
import {chmodSync, closeSync, openSync, rmSync} from 'node:fs';
import {connect, createServer, type Server, type Socket} from 'node:net';
import {join} from 'node:path';
import {z} from 'zod';
import {BridgeError, type BridgeErrorCode, errorCodes, isBridgeError, toError} from '../errors.ts';
import type {Log} from './log.ts';
import {type AnyOrder, type Orders, orderMillis, orderSchema} from './orders.ts';

/** Longest request and reply, in characters; and for how long a request may take to come. */
const longest = 64 * 1024;
const longestReply = 4 * 1024 ** 2;
const timeoutMillis = 15_000;
const mostClients = 16;

/**
A name of a socket has room for 107 bytes only. Through the descriptor of its directory that is enough for any directory, on
Linux; elsewhere a directory must be short.
*/
function withName<Result>(directory: string, use: (name: string) => Result): Result {
	const name = join(directory, 'control.sock');
	if (Buffer.byteLength(name) < 100 || process.platform !== 'linux') return use(name);
	const descriptor = openSync(directory, 'r');
	try {
		return use(`/proc/self/fd/${descriptor}/control.sock`);
	} finally {
		closeSync(descriptor); // The name is resolved when listen or connect is called.
	}
}

/**
Takes the orders of a person on this machine, on a socket in the store's directory that only the bridge's own account may
open. One order a connection: a line of JSON, answered by one. The store's lock is held, so a socket that lies there is dead.
*/
export async function startControl(directory: string, carryOut: Orders, log: Log, stack: AsyncDisposableStack): Promise<void> {
	const file = join(directory, 'control.sock');
	const server = createServer(socket => void serve(socket, carryOut));
	server.maxConnections = mostClients;
	try {
		rmSync(file, {force: true});
		await listen(server, directory);
		chmodSync(file, 0o600);
	} catch (error) {
		server.close();
		log('warn', `orders cannot be taken while the bridge runs: ${toError(error).message}`);
		return;
	}
	server.on('error', error => log('warn', `the control socket failed: ${error.message}`));
	const open = new Set<Socket>();
	server.on('connection', socket => {
		open.add(socket);
		socket.once('close', () => open.delete(socket));
	});
	stack.defer(async () => {
		const closed = once(server, 'close');
		server.close();
		for (const socket of open) socket.destroy();
		await closed;
		rmSync(file, {force: true});
	});
}

/** The umask keeps others out from the first moment on. */
async function listen(server: Server, directory: string): Promise<void> {
	const before = process.umask(0o177);
	try {
		withName(directory, name => server.listen(name));
	} finally {
		process.umask(before);
	}
	await once(server, 'listening');
}

async function serve(socket: Socket, carryOut: Orders): Promise<void> {
	socket.on('error', () => {}); // Who went away hears no answer.
	socket.setTimeout(timeoutMillis, () => socket.destroy());
	try {
		const order = readOrder(await readLine(socket, longest));
		socket.setTimeout(orderMillis(order));
		socket.end(`${JSON.stringify({done: await carryOut(order)})}\n`);
	} catch (thrown) {
		const code = isBridgeError(thrown) ? thrown.code : 'ERR_NOT_READY';
		if (!socket.destroyed) socket.end(`${JSON.stringify({error: {code, message: toError(thrown).message}})}\n`);
	}
}

function readOrder(line: string): AnyOrder {
	try {
		return orderSchema.parse(JSON.parse(line));
	} catch (cause) {
		throw new BridgeError(
			'ERR_MALFORMED',
			'not an order: expected a line of JSON with operation, id and reason, or with operation and named',
			{cause},
		);
	}
}

async function readLine(socket: Socket, most: number): Promise<string> {
	let text = '';
	socket.setEncoding('utf8');
	for await (const part of socket.iterator({destroyOnReturn: false})) {
		text += part;
		const end = text.indexOf('\n');
		if (end >= 0) return text.slice(0, end);
		if (text.length > most) throw new BridgeError('ERR_TOO_LARGE', `more than ${most} characters without an end`);
	}
	throw new BridgeError('ERR_MALFORMED', 'the line did not end');
}

const replySchema = z.union([
	z.object({done: z.unknown()}).refine(reply => 'done' in reply),
	z.object({error: z.object({code: z.enum(errorCodes), message: z.string()})}),
]);

/** Gives an order to the bridge that runs on this directory. Resolves to what it tells, as JSON. Rejects with its error, or ERR_NOT_READY when it does not answer. */
export async function giveOrder(directory: string, order: AnyOrder): Promise<unknown> {
	const socket = withName(directory, name => connect(name));
	socket.setTimeout(orderMillis(order) + 1000, () => socket.destroy(new Error('it did not answer in time')));
	try {
		await once(socket, 'connect');
		socket.write(`${JSON.stringify(order)}\n`);
		const reply = replySchema.parse(JSON.parse(await readLine(socket, longestReply)));
		if ('error' in reply) throw new BridgeError(reply.error.code satisfies BridgeErrorCode, reply.error.message);
		return reply.done;
	} catch (cause) {
		if (isBridgeError(cause) && cause.code !== 'ERR_MALFORMED') throw cause;
		const message = `a bridge runs on ${directory} and does not take the order: ${toError(cause).message}. Use its account, or stop it`;
		throw new BridgeError('ERR_NOT_READY', message, {cause});
	} finally {
		socket.destroy();
	}
}
