import test from 'ava';
import {sandboxSchema} from '../../src/sandbox/config.ts';
import {clientOf, heartbeat, messageOf, serviceEvent, startSandbox} from '../helpers/sandbox.ts';

type ReceivedPage = {
	readonly received: readonly {
		readonly event: {readonly body: {readonly code: string}};
		readonly envelope: {readonly private_key: string};
	}[];
};
type ModePage = {readonly mode: string; readonly count?: number; readonly delay_ms: number; readonly among: readonly string[]};

test('what was received and opened can be read over HTTP', async t => {
	const sandbox = await startSandbox(t, {}, {now: () => 1_800_000_000_000});
	const ask = clientOf(t, sandbox);
	await ask(messageOf([serviceEvent('s1')]));
	const {received} = (await ask<ReceivedPage>('', {method: 'GET', path: '/sandbox/received'})).json;
	t.like(received[0], {
		at: '2027-01-15T08:00:00.000Z',
		event_type: 'service',
		event_id: 's1',
		asset_id: 'J1A2B3C',
		fate: 'accepted',
		mode: 'normal',
	});
	t.is(received[0]?.event.body.code, 'Fan 3 failed');
	t.is(received[0]?.envelope.private_key, '[redacted]');
	const {cases} = (await ask<{cases: unknown}>('', {method: 'GET', path: '/sandbox/cases'})).json;
	t.deepEqual(cases, [
		{
			case_number: sandbox.cases()[0]?.caseNumber,
			event_id: 's1',
			asset: '8871-AC1',
			asset_id: 'J1A2B3C',
			code: 'Fan 3 failed',
			test: false,
			opened_at: '2027-01-15T08:00:00.000Z',
			received_times: ['2027-01-15T08:00:00.000Z'],
		},
	]);
});

test('a mode is set and read over HTTP, and does not strike the pages themselves', async t => {
	const sandbox = await startSandbox(t);
	const ask = clientOf(t, sandbox);
	const page = {path: '/sandbox/mode', method: 'PUT'} as const;
	const set = await ask<ModePage>({mode: 'throttled', count: 2, retry_after: 7, event_types: ['service']}, page);
	t.is(set.status, 200);
	t.like(set.json, {mode: 'throttled', count: 2, probability: 1, retry_after: 7});
	t.is((await ask(messageOf([heartbeat([])]))).status, 200);
	const struck = await ask(messageOf([serviceEvent('s1')]));
	t.is(struck.status, 429);
	t.is(struck.headers['retry-after'], '7');
	t.is((await ask<ModePage>('', {...page, method: 'GET'})).json.count, 1);
	t.is((await ask(messageOf([serviceEvent('s1')]))).status, 429);
	t.is((await ask<ModePage>('', {...page, method: 'GET'})).json.mode, 'normal');
	t.is((await ask<ModePage>({mode: 'slow', delay_ms: 1, probability: 0.5}, page)).json.delay_ms, 1);
	t.is((await ask<ModePage>({mode: 'chaos', among: ['reset']}, page)).json.among[0], 'reset');
});

const badSettings: [string, unknown][] = [
	['no JSON', '{'],
	['no mode', {}],
	['an unknown mode', {mode: 'angry'}],
	['an unknown key', {mode: 'normal', speed: 1}],
	['a probability above one', {mode: 'reset', probability: 1.1}],
	['a count of zero', {mode: 'reset', count: 0}],
	['chaos among chaos', {mode: 'chaos', among: ['chaos']}],
];
for (const [name, setting] of badSettings) {
	test(`${name} is refused and changes nothing`, async t => {
		const ask = clientOf(t, await startSandbox(t, {mode: 'slow'}));
		const refused = await ask(setting, {method: 'PUT', path: '/sandbox/mode'});
		t.is(refused.status, 400);
		t.is(typeof refused.json.error, 'string');
		t.is((await ask<ModePage>('', {method: 'GET', path: '/sandbox/mode'})).json.mode, 'slow');
	});
}

test('other pages and methods do not exist', async t => {
	const ask = clientOf(t, await startSandbox(t));
	t.is((await ask('', {method: 'GET', path: '/sandbox/'})).status, 404);
	t.is((await ask('', {method: 'GET', path: '/sandbox/constructor'})).status, 404);
	t.is((await ask('', {method: 'DELETE', path: '/sandbox/cases'})).status, 405);
});

test('every setting has a default', t => {
	t.like(sandboxSchema.parse({}), {
		endpoint: {host: '127.0.0.1', port: 0},
		case_delay: 1000,
		duplicate_detection: true,
		mode: 'normal',
		delay: 5000,
	});
});

const badConfigurations: [unknown, RegExp][] = [
	[{endpoint: '0.0.0.0:8443'}, /other machines/],
	[{api_key: 'one-without-the-other'}, /go together/],
	[{mode: 'angry'}, /mode/],
	[{speed: 1}, /speed/],
];
for (const [config, fault] of badConfigurations) {
	test(`configuration ${JSON.stringify(config)} is refused`, t => {
		t.regex(JSON.stringify(sandboxSchema.safeParse(config).error?.issues), fault);
	});
}

test('beyond loopback it wants keys, or to be called insecure', t => {
	t.true(sandboxSchema.safeParse({endpoint: '0.0.0.0:8443', insecure: true}).success);
	t.true(sandboxSchema.safeParse({endpoint: '0.0.0.0:8443', api_key: 'a', private_key: 'b'}).success);
});
