import {alertRequest, post, startBridge} from '../helpers/bridge.ts';
import {eventually} from '../helpers/listen.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {startSquid} from '../helpers/squid.ts';

testWithPeer('squid', 'through a squid that wants a password the case is opened, and no password is seen anywhere', async t => {
	const squid = await startSquid(t, {basicAuth: {username: 'callhome', password: 'p@ss:w0rd'}});
	const url = `http://callhome:${encodeURIComponent('p@ss:w0rd')}@${squid.url.host}`;
	const bridge = await startBridge(t, {connections: [{proxy: {url}}]});
	const {read} = bridge.callHome.store;
	t.is((await post(bridge.urls.otlp, alertRequest({serial: 'J1A2B3C'}))).status, 200);
	const problem = await eventually(async () => (await read.listProblems({states: ['open']}))[0]);
	const attempts = await read.attemptsOf(problem.id);
	t.true(attempts.length > 0 && attempts.every(({connection}) => connection === `proxy ${squid.url.host}`));
	t.regex(
		await eventually(async () => (await squid.accessLog()).includes('CONNECT') && squid.accessLog()),
		/CONNECT 127\.0\.0\.1:\d+/,
	);
	const page = await (await fetch(bridge.urls.metrics)).text();
	t.notRegex(JSON.stringify([attempts, bridge.said]) + page, /p@ss|p%40ss/);
});
