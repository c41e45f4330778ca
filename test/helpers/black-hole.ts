import {once} from 'node:events';
import {connect, type Socket} from 'node:net';
import {setTimeout as pause} from 'node:timers/promises';
import type {ExecutionContext} from 'ava';
import {startProgram} from './program.ts';

/** Listens, and never takes a connection: what it does is up to the kernel. */
const program = `
const server = require('node:net').createServer().listen({port: 0, host: '127.0.0.1', backlog: 1}, () => {
	require('node:fs').writeSync(1, 'port ' + server.address().port + '\\n');
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});`;

/** More of them fit into no queue of one. */
const mostWaiting = 16;

/**
A port of loopback that answers no SYN, as behind a firewall that drops: its queue of connections is full. The kernel has no
address for that which would need no rights.
*/
export async function startBlackHole(t: ExecutionContext): Promise<number> {
	const {waitFor, output, stop} = await startProgram(t, process.execPath, ['-e', program]);
	t.teardown(() => stop('SIGKILL'));
	await waitFor(/port \d+\n/);
	const port = Number(/port (\d+)/.exec(output())?.[1]);
	for (let waiting = 0; waiting < mostWaiting; waiting++) if (!(await isTaken(t, port))) return port;
	throw new Error(`port ${port} takes every connection`);
}

async function isTaken(t: ExecutionContext, port: number): Promise<boolean> {
	const socket: Socket = connect(port, '127.0.0.1').on('error', () => {});
	t.teardown(() => socket.destroy());
	return Promise.race([once(socket, 'connect').then(() => true), pause(300, false)]);
}
