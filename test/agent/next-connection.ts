import {once} from 'node:events';
import {writeFileSync} from 'node:fs';
import {connect} from 'node:net';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {alertRequest, post, scrape, startBridge} from '../helpers/bridge.ts';
import {eventually, temporaryDirectory} from '../helpers/listen.ts';
import {peer} from '../helpers/peers.ts';
import {startSquid} from '../helpers/squid.ts';
import {listenSocket} from '../helpers/tls-server.ts';

/** The first connection, which does not serve. */
const cases: [what: string, code: string, first: (t: ExecutionContext) => Promise<object>][] = [
	[
		'is unavailable',
		'ERR_CONNECTION_REFUSED',
		async t => {
			const squid = await startSquid(t);
			await squid.stop();
			return {proxy: {url: squid.url.origin, name: 'first'}};
		},
	],
	[
		'is busy',
		'ERR_PROXY_BUSY',
		async t => {
			const full = ['acl many maxconn 1', 'deny_info 503:ERR_ACCESS_DENIED many', 'http_access deny many'];
			const squid = await startSquid(t, {configLines: full});
			const target = await listenSocket(t, socket => void socket.on('error', () => {}));
			const holder = connect(Number(squid.url.port), '127.0.0.1').on('error', () => {});
			t.teardown(() => holder.destroy());
			await once(holder, 'connect');
			holder.write(`CONNECT 127.0.0.1:${target} HTTP/1.1\r\nHost: 127.0.0.1:${target}\r\n\r\n`);
			t.regex(String((await once(holder, 'data'))[0]), / 200 /);
			return {proxy: {url: squid.url.origin, name: 'first'}};
		},
	],
	[
		'is configured for nothing',
		'ERR_NOT_CONFIGURED',
		async t => {
			const file = join(await temporaryDirectory(t), 'proxy.pac');
			writeFileSync(file, 'function FindProxyForURL() { return "DIRECT"; }');
			return {pac: {file, name: 'first'}};
		},
	],
];

for (const [what, code, first] of cases) {
	const title = `where the first connection ${what}, the case goes through the second one, a real squid, and nothing past it`;
	if (!peer('squid')) {
		if (process.env.CI) test(title, t => t.fail('squid is not installed: run "npm run peers"'));
		else test.skip(`${title} (squid not installed: run "npm run peers")`, () => {});
		continue;
	}
	test.serial(title, async t => {
		const second = await startSquid(t);
		const bridge = await startBridge(t, {
			systems: [{match: {'host.name': 'db01'}, machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C'}],
			connections: [await first(t), {proxy: {url: second.url.origin, name: 'second'}}],
		});
		await post(bridge.urls.otlp, alertRequest({}));
		const {read} = bridge.callHome.store;
		await eventually(async () => (await read.listProblems({states: ['open']})).length > 0, {timeoutMillis: 60_000});
		const names = [...(await scrape(bridge.urls.metrics)).keys()].filter(name => name.startsWith('callhome_connection_attempts'));
		const over = (connection: string) => names.filter(name => name.includes(`callhome_connection="${connection}"`));
		t.true(over('first').length > 0 && over('first').every(name => name.includes(`error_type="${code}"`)), names.join('\n'));
		t.true(
			over('second').some(name => !name.includes('error_type')),
			names.join('\n'),
		);
		await bridge.shutdown();
		const log = await eventually(() => second.accessLog());
		t.true(log.includes(`CONNECT 127.0.0.1:${bridge.urls.sandbox?.port}`), log);
	});
}
