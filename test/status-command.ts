import {join} from 'node:path';
import {stripVTControlCharacters} from 'node:util';
import test from 'ava';
import {startAgent} from '../src/agent.ts';
import {status} from '../src/cli/status.ts';
import {connectivityJson, connectivityLines, serversToShow} from '../src/cli/status-connectivity.ts';
import type {Config} from '../src/config.ts';
import {readState, stateText} from '../src/sending/connectivity-state.ts';
import {alertRequest, configOf, post} from './helpers/bridge.ts';
import {eventually, freePort, temporaryDirectory} from './helpers/listen.ts';

const system = {machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C'};

type Json = {
	readonly destinations: readonly Record<string, string | null>[];
	readonly connections: readonly Record<string, string | null>[] | null;
	readonly exhausted: boolean | null;
	readonly exhausted_since: string | null;
	readonly heartbeat_overdue: boolean | null;
};
const jsonOf = async (config: Config) => (await status(config)).json as Json;
const textOf = async (config: Config) => stripVTControlCharacters((await status(config)).lines.join('\n'));

test('status shows a lost connection, the one that works, and four lights that say nothing about each other', async t => {
	const port = await freePort();
	const connections = [{name: 'main', proxy: {url: `http://127.0.0.1:${port}`}}, {direct: {}}];
	const config = configOf(await temporaryDirectory(t), {system, connections});
	const agent = await startAgent(config, () => {});
	let stopped: Promise<void> | undefined;
	const stop = () => (stopped ??= agent.shutdown());
	t.teardown(stop);
	await post(agent.urls.otlp, alertRequest({serial: 'J1A2B3C'}));
	const json = await eventually(
		async () => {
			const now = await jsonOf(config);
			return now.connections?.[1]?.state === 'connected' && now.destinations[0]?.case_opened && now;
		},
		{timeoutMillis: 60_000, intervalMillis: 200},
	);
	const destination = `127.0.0.1:${agent.urls.sandbox?.port}`;
	const [lights, ...others] = json.destinations;
	t.deepEqual(others, []);
	t.is(lights?.destination, destination);
	t.deepEqual(
		['reached', 'accepted', 'case_opened', 'uploaded'].map(light => typeof lights?.[light]),
		['string', 'string', 'string', 'object'],
	);
	t.like(json, {exhausted: false, exhausted_since: null, heartbeat_overdue: false});
	t.like(json.connections, [
		{connection: 'main', destination, state: 'disconnected', last_success: null, error_type: 'ERR_CONNECTION_REFUSED'},
		{connection: 'direct', destination, state: 'connected', error_type: null, reason: null},
	]);

	const text = await textOf(config);
	t.regex(text, /Last uploaded\n127\.0\.0\.1:\d+ +20\S+Z +20\S+Z +20\S+Z +never/);
	t.regex(text, /main +127\.0\.0\.1:\d+ +disconnected +20\S+Z +never +\S/);
	t.regex(text, /direct +127\.0\.0\.1:\d+ +connected +20\S+Z +20\S+Z/);
	t.notRegex(text, /No connection leads|No heartbeat/);

	await stop();
	const after = await jsonOf(config);
	t.like(after, {status: 'not_running', connections: null, exhausted: null, heartbeat_overdue: null});
	t.is(after.destinations[0]?.reached, lights?.reached, 'the lights stay');
});

test('status says first that no way is left and that no heartbeat is answered', async t => {
	const port = await freePort();
	const config = configOf(await temporaryDirectory(t), {
		system,
		connections: [{proxy: {url: `http://127.0.0.1:${port}`}}],
		service_information: {heartbeat: {interval: '500ms'}},
	});
	const agent = await startAgent(config, () => {});
	t.teardown(() => agent.shutdown());
	const json = await eventually(
		async () => {
			const now = await jsonOf(config);
			return now.exhausted && now.heartbeat_overdue && now;
		},
		{timeoutMillis: 60_000, intervalMillis: 200},
	);
	t.regex(json.exhausted_since ?? '', /^20\S+Z$/);
	t.like(json.destinations, [{reached: null, accepted: null, case_opened: null, uploaded: null}]);
	const text = await textOf(config);
	t.regex(text, /No connection leads to IBM since 20\S+Z: "callhome test connectivity" names the broken hop\./);
	t.regex(text, /No heartbeat was answered for three intervals\./);
	t.true(text.indexOf('No connection leads') < text.indexOf('Last uploaded'));
});

test('status names the servers of the configuration before they were ever reached', async t => {
	const directory = await temporaryDirectory(t);
	const config = configOf(directory, {exporter: {call_home_connect: {customer_number: '1234567'}}});
	t.deepEqual(serversToShow(config, {lit: {}, state: undefined}), ['esupport.ibm.com:443']);
	t.deepEqual(serversToShow(config, {lit: {'old.ibm.com:443': {reached: 1}}, state: undefined}), [
		'esupport.ibm.com:443',
		'old.ibm.com:443',
	]);
	t.like(await status({...config, store: {...config.store, directory: join(directory, 'none')}}), {
		exitCode: 29,
		json: {destinations: [{destination: 'esupport.ibm.com:443', reached: null}], connections: null},
	});
});

test('the ports of earlier sandboxes are not shown', async t => {
	const config = configOf(await temporaryDirectory(t));
	const lit = {'127.0.0.1:3': {reached: 3}, '127.0.0.1:2': {reached: 2}};
	t.deepEqual(serversToShow(config, {lit, state: undefined}), ['127.0.0.1:3']);
	const paths = [{connection: 'direct', destination: '127.0.0.1:4', state: 'unknown' as const}];
	t.deepEqual(serversToShow(config, {lit, state: {paths}}), ['127.0.0.1:4']);
	t.regex(connectivityLines(config, {lit, state: {paths}}).join('\n'), /not used yet/);
	t.like(connectivityJson(config, {lit, state: {paths}}), {connections: [{state: 'unknown', since: null}]});
});

test('a reason does not steer the terminal', async t => {
	const config = configOf(await temporaryDirectory(t));
	const paths = [{connection: 'direct', destination: 'x:1', state: 'disconnected' as const, reason: 'no\u001b[31m\nway'}];
	const text = stripVTControlCharacters(connectivityLines(config, {lit: {}, state: {paths}}).at(-1) ?? '');
	t.regex(text, /no \[31m way$/);
});

for (const text of [undefined, '', '{', '[]', '{"paths":[{"connection":1}]}']) {
	test(`a state that cannot be read (${text ?? 'none'}) is none`, async t => {
		t.is(await readState({readSetting: async () => text}), undefined);
	});
}

test('what is stored is read again, without what only the bridge needs', async t => {
	const path = {connection: 'direct', destination: 'x:1', state: 'connected' as const, since: 5, lastSuccessAt: undefined};
	const text = stateText({paths: [{...path, trialAt: 7} as typeof path], exhaustedSince: undefined, heartbeatOverdue: true});
	t.notRegex(text, /trialAt/);
	t.deepEqual(await readState({readSetting: async () => text}), {
		paths: [{connection: 'direct', destination: 'x:1', state: 'connected', since: 5}],
		heartbeatOverdue: true,
	});
});
