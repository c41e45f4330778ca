import {once} from 'node:events';
import {createServer, type Server} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {dial, remoteOf} from '../../src/sending/dial.ts';
import {freePort} from '../helpers/listen.ts';

/** Servers on addresses of loopback, all with one port. */
async function serversOn(t: ExecutionContext, ...addresses: readonly string[]): Promise<number> {
	const port = await freePort();
	const servers = addresses.map(address => createServer(socket => socket.on('error', () => {})).listen(port, address));
	await Promise.all(servers.map(server => once(server, 'listening')));
	t.teardown(() => servers.map((server: Server) => server.close()));
	return port;
}

const patience = () => AbortSignal.timeout(20_000);

test('the next address has its turn when one refuses', async t => {
	const port = await serversOn(t, '127.0.0.4');
	const socket = await dial(['127.0.0.2', '127.0.0.3', '127.0.0.4'], port, patience());
	t.deepEqual(remoteOf(socket), {host: '127.0.0.4', port});
	socket.destroy();
});

test('the first address is preferred', async t => {
	const port = await serversOn(t, '127.0.0.2', '127.0.0.3');
	const socket = await dial(['127.0.0.3', '127.0.0.2'], port, patience());
	t.is(socket.remoteAddress, '127.0.0.3');
	socket.destroy();
});

test('when every address refuses, the first one says why', async t => {
	const port = await serversOn(t);
	const error = await t.throwsAsync(dial(['127.0.0.2', '127.0.0.3'], port, patience()));
	t.regex(String(error), new RegExp(`ECONNREFUSED 127.0.0.2:${port}`));
});

test('the socket leaves from the address that is set for it', async t => {
	const port = await serversOn(t, '127.0.0.1');
	const socket = await dial(['127.0.0.1'], port, patience(), {localAddress: '127.0.0.9'});
	t.is(socket.localAddress, '127.0.0.9');
	socket.destroy();
});

test('an address that this machine does not have is an error, and no hang', async t => {
	const error = await t.throwsAsync(dial(['127.0.0.1'], 9, patience(), {localAddress: '192.0.2.1'}));
	t.regex(String(error), /EADDRNOTAVAIL/);
});

test('given up before it begins, nothing is opened', async t => {
	await t.throwsAsync(dial(['127.0.0.1'], 9, AbortSignal.abort(new Error('enough'))), {message: 'enough'});
});
