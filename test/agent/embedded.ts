import {existsSync} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {CallHomeLogRecordProcessor, startCallHome} from '../../exporters/index.ts';
import {giveOrder} from '../../src/agent/control.ts';
import {settingsOf} from '../helpers/bridge.ts';
import {listen, temporaryDirectory} from '../helpers/listen.ts';
import {alertOf, startEmbedded, startLogger} from '../helpers/plug.ts';

test('one bridge works on a directory', async t => {
	const {config, callHome} = await startEmbedded(t);
	await t.throwsAsync(startCallHome({config}), {code: 'ERR_ALREADY_RUNNING'});
	await callHome.shutdown();
	const next = await startCallHome({config});
	await next.shutdown();
});

test('a configuration with a fault is named, and nothing starts', async t => {
	const directory = await temporaryDirectory(t);
	const config = join(directory, 'callhome.yaml');
	await writeFile(config, `exporter: {sandbox: {}}\nstore: {directory: ${directory}/state, color: red}\n`);
	await t.throwsAsync(startCallHome({config}), {code: 'ERR_CONFIG', message: /:2: store\.color: unknown key/});
	t.false(existsSync(join(directory, 'state')));
});

test('after shutdown it takes nothing; shutting down twice is the same', async t => {
	const {callHome} = await startEmbedded(t);
	const ending = callHome.shutdown();
	t.is(callHome.shutdown(), ending);
	await ending;
	await t.throwsAsync(callHome.consume([]), {code: 'ERR_SHUTTING_DOWN'});
});

test('the selection of the config counts for the plug', async t => {
	const directory = await temporaryDirectory(t);
	const settings = `store: {directory: ${join(directory, 'state')}}\nselection: {logs: {hardware_alert: null, fans: {event_name: fan.*}}}`;
	const {callHome} = await startEmbedded(t, settings, directory);
	const consumed: string[] = [];
	const consume: typeof callHome.consume = events => {
		consumed.push(...events.map(({name}) => name));
		return callHome.consume(events);
	};
	const {provider, logger} = startLogger(t, [new CallHomeLogRecordProcessor({...callHome, consume})]);
	logger.emit(alertOf('drive-1', {severityNumber: 9}));
	logger.emit({eventName: 'fan.stopped'});
	await provider.forceFlush();
	t.deepEqual(consumed, ['fan.stopped']);
});

test('with the same file no module of receivers is logged into, not even for an inventory', async t => {
	const directory = await temporaryDirectory(t);
	const asked: string[] = [];
	const url = await listen(t, ({url: path = ''}, response) => {
		asked.push(path);
		response.writeHead(404).end();
	});
	const state = join(directory, 'state');
	const redfish = {systems: [{url: url.origin, username: 'u', password: 'hidden-word'}]};
	const config = join(directory, 'callhome.yaml');
	await writeFile(config, JSON.stringify(settingsOf(directory, {consent: {cases: true, inventory: true}, receivers: {redfish}})));
	const callHome = await startCallHome({config, log: t.log});
	t.teardown(() => callHome.shutdown());
	t.deepEqual(await giveOrder(state, {operation: 'collect_inventory', named: ''}), []);
	t.deepEqual(asked, []);
	await callHome.shutdown();
});
