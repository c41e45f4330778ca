import test from 'ava';
import {lastSuccess} from '../../src/sending/settling.ts';
import {scrape} from '../helpers/bridge.ts';
import {patience, startBridgeWithSandbox} from '../helpers/bridge-with-sandbox.ts';
import {eventually} from '../helpers/listen.ts';

test('three intervals without an answer alarm once, in log, activity and metric, and an answer ends it', async t => {
	const {sandbox, bridge, activities} = await startBridgeWithSandbox(t, {service_information: {heartbeat: {interval: '2s'}}});
	const overdue = async () => (await scrape(bridge.urls.metrics)).get('callhome_heartbeat_overdue');
	await eventually(() => bridge.callHome.store.read.readSetting(lastSuccess.heartbeat), patience);
	t.is(await overdue(), 0);
	sandbox.setMode('unavailable');
	await eventually(async () => (await overdue()) === 1, patience);
	const [line] = await eventually(async () => {
		const found = await activities('heartbeat_overdue');
		return found.length > 0 && found;
	}, patience);
	t.like(line, {level: 'error'});
	t.regex(line?.text ?? '', /^no heartbeat was answered for 3 intervals: the last one was answered at 20/);
	sandbox.setMode('normal');
	await eventually(async () => (await overdue()) === 0 && (await activities('heartbeat_answered')).length === 1, patience);
	t.is((await activities('heartbeat_overdue')).length, 1);
	const metrics = await scrape(bridge.urls.metrics);
	t.true((metrics.get('callhome_heartbeat_last_success_timestamp_seconds') ?? 0) > Date.now() / 1000 - 60);
	t.is(
		[...metrics.entries()].find(([name]) => name.startsWith('callhome_connection_exhausted'))?.[1],
		0,
		'IBM was reached all the time',
	);
});
