import {once} from 'node:events';
import {createServer} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {BridgeError, type BridgeErrorCode, errorCodes, neverLeft} from '../../src/errors.ts';
import {noon} from '../helpers/decisions.ts';
import {eventually, freePort} from '../helpers/listen.ts';
import {
	fanRule,
	fetchers,
	foreignLocalhost,
	makeKeyPair,
	manifestOf,
	openUpdates,
	serverList,
	startUpdateServer,
	type UpdateServer,
} from '../helpers/update-server.ts';

const pair = makeKeyPair();

/** All that may ever come in on the plain port: a GET of the manifest or of its signature, no body, no query, nothing that tells who asks. */
const allowed =
	/^GET \/callhome-updates\.json(?:\.sig)? HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n(?:Connection: [\w-]+\r\n)?\r\n$/;

/** Ways in which HTTPS can be gone, and where it is looked for then. */
const cuts: [title: string, cut: (t: ExecutionContext, server: UpdateServer) => Promise<URL>, code: BridgeErrorCode][] = [
	['refused', async () => new URL(`https://localhost:${await freePort()}/callhome-updates.json`), 'ERR_CONNECTION_REFUSED'],
	['without a name', async () => new URL('https://nowhere.invalid/callhome-updates.json'), 'ERR_NAME_NOT_FOUND'],
	[
		'in the hands of somebody with another certificate',
		async t => (await startUpdateServer(t, foreignLocalhost)).url,
		'ERR_CERTIFICATE',
	],
];

for (const [title, cut, code] of cuts) {
	test(`with HTTPS ${title}, nothing but GETs of the manifest and its signature leaves on the plain port, a whole life long`, async t => {
		const server = await startUpdateServer(t);
		const url = await cut(t, server);
		const config = {http_url: server.httpUrl.href};
		const rules = {...server.offer('/rules.yaml', '3', fanRule), url: new URL('/rules.yaml', url).href};
		const program = {...server.offer('/p.tgz', '0.2.0', 'package'), url: new URL('/p.tgz', url).href};
		server.publish(manifestOf(1, {destinations: serverList('one.example'), rules, program}), pair);

		const first = await openUpdates(t, {url}, {pairs: [pair], config});
		await first.updates.start();
		t.is((await first.updates.check()).outcome, 'accepted');
		t.like(first.handedOn, [{serial: 1, origin: 'http'}]);
		t.deepEqual(first.words(), ['update_accepted', 'update_over_http', 'update_not_staged', 'update_not_staged']);
		t.true(first.notes[1]?.text.startsWith(code), first.notes[1]?.text);
		t.deepEqual(first.updates.waiting(), [], 'rules and programs do not come over plain HTTP');
		server.publish(manifestOf(2), makeKeyPair());
		t.is((await first.updates.check()).outcome, 'refused');
		server.files.clear();
		t.is((await first.updates.check()).outcome, 'failed');
		server.publish(manifestOf(2, {rules}), pair);
		t.is((await first.updates.check()).outcome, 'accepted');
		await first.updates.shutdown();

		const second = await openUpdates(t, {url}, {pairs: [pair], config, directory: first.directory});
		await second.updates.start(); // Asks at once: the rules are missing.
		await eventually(() => server.plainBytes.length === 9);
		await second.updates.shutdown();

		t.is(server.plainBytes.length, 2 + 2 + 1 + 2 + 2);
		for (const bytes of server.plainBytes) t.regex(bytes, allowed);
		t.deepEqual(server.asked, [], 'HTTPS is cut');
	});
}

test('plain HTTP is asked after exactly those codes that say that no HTTPS path works', async t => {
	const asked: string[] = [];
	const server = await startUpdateServer(t);
	for (const code of errorCodes) {
		const {updates} = await openUpdates(t, server, {
			pairs: [pair],
			config: {http_url: server.httpUrl.href},
			parts: {
				https: () => Promise.reject(new BridgeError(code, 'cut')),
				http: () => {
					asked.push(code);
					return Promise.reject(new BridgeError('ERR_CONNECTION_REFUSED', 'cut as well'));
				},
			},
		});
		t.like(await updates.check(), {outcome: 'failed', origin: undefined});
	}
	t.deepEqual(asked.toSorted(), neverLeft.toSorted());
});

test('an answer over HTTPS is an answer, whatever it says: plain HTTP is not asked', async t => {
	const server = await startUpdateServer(t);
	const {updates, clock} = await openUpdates(t, server, {pairs: [pair], config: {http_url: server.httpUrl.href}});
	const expect = async (outcome: 'failed' | 'refused') => t.is((await updates.check()).outcome, outcome);
	await expect('failed'); // 404.
	server.publish(manifestOf(1), pair);
	for (const status of [204, 301, 403, 404, 407, 500, 503]) {
		server.answer.status = status;
		await expect('failed');
	}
	server.answer.status = 200;
	server.files.delete('/callhome-updates.json.sig');
	await expect('failed');
	server.publish(manifestOf(1), makeKeyPair());
	await expect('refused');
	server.files.set('/callhome-updates.json', Buffer.alloc(300 * 1024));
	await expect('failed');
	clock.now = noon;
	t.deepEqual(server.plainBytes, []);
});

test('a manifest came over HTTPS, its signature did not: that is no reason for plain HTTP', async t => {
	const server = await startUpdateServer(t);
	server.publish(manifestOf(1), pair);
	const {updates} = await openUpdates(t, server, {
		pairs: [pair],
		config: {http_url: server.httpUrl.href},
		parts: {
			https: (url, options) =>
				url.pathname.endsWith('.sig')
					? Promise.reject(new BridgeError('ERR_CONNECTION_REFUSED', 'cut'))
					: fetchers.https(url, options),
		},
	});
	t.is((await updates.check()).outcome, 'failed');
	t.deepEqual(server.plainBytes, []);
});

test('without http_url the plain port is left alone', async t => {
	const server = await startUpdateServer(t);
	const {updates} = await openUpdates(
		t,
		{url: new URL(`https://localhost:${await freePort()}/callhome-updates.json`)},
		{pairs: [pair]},
	);
	t.like(await updates.check(), {outcome: 'failed', troubles: [{code: 'ERR_CONNECTION_REFUSED'}]});
	t.deepEqual(server.plainBytes, []);
});

test('over plain HTTP, too, only what is signed and in order counts', async t => {
	const server = await startUpdateServer(t);
	const url = new URL(`https://localhost:${await freePort()}/callhome-updates.json`);
	const {updates, handedOn} = await openUpdates(t, {url}, {pairs: [pair], config: {http_url: server.httpUrl.href}});
	server.publish(manifestOf(5), pair);
	t.is((await updates.check()).outcome, 'accepted');
	const {files} = server;
	for (const spoil of [
		() => server.publish(manifestOf(4), pair),
		() => server.publish(manifestOf(6), makeKeyPair()),
		() => files.set('/callhome-updates.json', Buffer.from(manifestOf(6).toString().replace('"serial":6', '"serial":7'))),
	]) {
		spoil();
		t.is((await updates.check()).outcome, 'refused');
	}
	t.is(handedOn.length, 1);
});

test('a plain server that never ends its answer, or floods, is given up', async t => {
	const server = await startUpdateServer(t);
	const flood = createServer(socket => {
		socket.on('error', () => {});
		socket.write('HTTP/1.1 200 OK\r\n\r\n');
		const more = (error?: Error | null) => void (error || socket.write(Buffer.alloc(65_536, ' '), more));
		more();
	}).listen(0, '127.0.0.1');
	await once(flood, 'listening');
	t.teardown(() => flood.close());
	const address = flood.address();
	const port = typeof address === 'object' ? address?.port : 0;
	const url = new URL(`https://localhost:${await freePort()}/callhome-updates.json`);
	const config = {http_url: `http://127.0.0.1:${port}/callhome-updates.json`};
	const {updates} = await openUpdates(t, {url}, {pairs: [pair], config});
	t.like(await updates.check(), {outcome: 'failed', troubles: [{code: 'ERR_TOO_LARGE'}]});
	t.deepEqual(server.plainBytes, []);
});
