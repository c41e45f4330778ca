import {chmod, writeFile} from 'node:fs/promises';
import {connect} from 'node:net';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {eventually, freePort, temporaryDirectory} from './listen.ts';
import {requiredPeer} from './peer-binaries.ts';
import {startProgram} from './program.ts';

const takesConnections = (port: number) =>
	eventually(
		() =>
			new Promise<boolean>(resolve => {
				const socket = connect(port, '127.0.0.1')
					.on('connect', () => resolve(true))
					.on('error', () => resolve(false))
					.on('connect', () => socket.destroy());
			}),
		{timeoutMillis: 30_000},
	);

async function start(
	t: ExecutionContext,
	binary: string,
	args: (file: string) => string[],
	lines: readonly string[],
	port: number,
) {
	const directory = await temporaryDirectory(t);
	await chmod(directory, 0o755); // Started by root, it goes on as another user.
	const file = join(directory, 'proxy.conf');
	await writeFile(file, `${lines.join('\n')}\n`);
	const program = await startProgram(t, requiredPeer(binary), args(file));
	t.teardown(() => program.stop('SIGKILL'));
	await takesConnections(port).catch(error => {
		throw new Error(`${binary} does not listen: ${program.output()}`, {cause: error});
	});
	return {port, output: program.output};
}

/** A real tinyproxy on a free port of loopback. */
export async function startTinyproxy(t: ExecutionContext, lines: readonly string[] = []) {
	const port = await freePort();
	const all = [`Port ${port}`, 'Listen 127.0.0.1', 'Timeout 600', 'Allow 127.0.0.1', 'LogLevel Connect', ...lines];
	return start(t, 'tinyproxy', file => ['-d', '-c', file], all, port);
}

/** A real dante on a free port of loopback: SOCKS5 without credentials, or with those of a user of this system. */
export async function startDante(t: ExecutionContext, method: 'none' | 'username' = 'none') {
	const port = await freePort();
	const isRoot = process.getuid?.() === 0;
	const all = [
		'logoutput: stderr',
		`internal: 127.0.0.1 port = ${port}`,
		'external: 127.0.0.1',
		'clientmethod: none',
		`socksmethod: ${method}`,
		...(isRoot ? ['user.privileged: root', 'user.unprivileged: nobody'] : []),
		'client pass {\n\tfrom: 127.0.0.0/8 to: 0.0.0.0/0\n\tlog: error\n}',
		'socks pass {\n\tfrom: 127.0.0.0/8 to: 0.0.0.0/0\n\tcommand: connect\n\tlog: error connect\n}',
	];
	return start(t, 'danted', file => ['-f', file], all, port);
}
