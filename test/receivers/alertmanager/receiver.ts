import {connect} from 'node:net';
import {text} from 'node:stream/consumers';
import test from 'ava';
import {BridgeError} from '../../../src/errors.ts';
import {alertmanagerSchema} from '../../../src/receivers/alertmanager/config.ts';
import {createAlertmanagerReceiver} from '../../../src/receivers/alertmanager/receiver.ts';
import {started, watchSource} from '../../helpers/sources.ts';

const config = (settings: object = {}) => alertmanagerSchema.parse({endpoint: '127.0.0.1:0', ...settings});
const notification = (labels: object, rest: object = {}) =>
	JSON.stringify({
		version: '4',
		truncatedAlerts: 0,
		alerts: [{status: 'firing', labels: {alertname: 'DiskFailed', ...labels}, startsAt: '2026-11-01T10:00:00Z'}],
		...rest,
	});
const send = (url: URL, body: string, init: RequestInit = {}) => fetch(url, {method: 'POST', body, ...init});

test('a notification is answered after its events are on disk, and not before', async t => {
	const {promise: stored, resolve} = Promise.withResolvers<void>();
	const watched = watchSource({
		consume: async events => {
			await stored;
			return events.map(() => 'first');
		},
	});
	const receiver = await started(t, createAlertmanagerReceiver(config(), watched.parts));
	let answered = false;
	const answer = send(receiver.url(), notification({hw_id: 'disk-3'})).finally(() => {
		answered = true;
	});
	await new Promise(done => setTimeout(done, 200));
	t.false(answered);
	resolve();
	t.is((await answer).status, 200);
	t.is(watched.events.length, 1);
});

test('alerts about other things are answered and forgotten', async t => {
	const {parts, events} = watchSource();
	const receiver = await started(t, createAlertmanagerReceiver(config(), parts));
	const answer = await send(receiver.url(), notification({job: 'web'}));
	t.is(answer.status, 200);
	t.is(await answer.text(), '0 of 1 alert(s) are about hardware, and kept.\n');
	t.deepEqual(events, []);
});

test('alerts that Alertmanager left out are said', async t => {
	const {parts, said} = watchSource();
	const receiver = await started(t, createAlertmanagerReceiver(config(), parts));
	await send(receiver.url(), notification({hw_id: 'a'}, {truncatedAlerts: 7}));
	t.true(said.some(text => /left out 7 alert/.test(text)));
});

test('a full store is 503, for Alertmanager to try again; what is no notification is 400, for it not to', async t => {
	const {parts, events} = watchSource({
		consume: async () => {
			throw new BridgeError('ERR_STORE_FULL', 'the disk is full');
		},
	});
	const receiver = await started(t, createAlertmanagerReceiver(config({max_request_size: 1000}), parts));
	const full = await send(receiver.url(), notification({hw_id: 'a'}));
	t.deepEqual([full.status, full.headers.get('retry-after')], [503, '5']);
	t.is((await send(receiver.url(), 'no')).status, 400);
	t.is((await send(receiver.url(), 'x'.repeat(2000))).status, 413);
	t.is((await fetch(receiver.url())).status, 405);
	t.is((await send(new URL('/', receiver.url()), '{}')).status, 404);
	t.deepEqual(events, []);
});

test('with a token nobody else is served', async t => {
	const {parts, events, said} = watchSource();
	const receiver = await started(t, createAlertmanagerReceiver(config({bearer_token: 'hunter2'}), parts));
	const body = notification({hw_id: 'a'});
	t.is((await send(receiver.url(), body)).status, 401);
	t.is((await send(receiver.url(), body, {headers: {authorization: 'Bearer hunter3'}})).status, 401);
	t.is((await send(receiver.url(), body, {headers: {authorization: 'Bearer hunter2'}})).status, 200);
	t.is(events.length, 1);
	t.notRegex(said.join('\n'), /hunter/);
});

test('a client that never ends its request is ended', async t => {
	const {parts} = watchSource();
	const receiver = await started(t, createAlertmanagerReceiver(config({request_timeout: '300ms'}), parts));
	const {hostname, port, pathname} = receiver.url();
	const socket = connect(Number(port), hostname, () =>
		socket.write(`POST ${pathname} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{`),
	);
	const began = performance.now();
	t.regex(await text(socket), /^(HTTP\/1\.1 (408|503)|$)/);
	t.true(performance.now() - began < 20_000);
});

test('beyond loopback it wants a token, a client certificate or the word insecure', t => {
	t.regex(String(alertmanagerSchema.safeParse({endpoint: '0.0.0.0:5027'}).error), /beyond loopback/);
	t.true(alertmanagerSchema.safeParse({endpoint: '0.0.0.0:5027', insecure: true}).success);
	t.true(alertmanagerSchema.safeParse({endpoint: '0.0.0.0:5027', bearer_token: 'a'}).success);
});
