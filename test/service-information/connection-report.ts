import test from 'ava';
import fc from 'fast-check';
import type {System} from '../../src/problem.ts';
import {lostConnections, type ReportedPath, reportLostConnections} from '../../src/service-information/connection-report.ts';
import {hour, minute, noon, openHouse} from '../helpers/decisions.ts';

const system: System = {name: 'bridge', machineType: '8871', model: 'AC1', serialNumber: 'J1A2B3C'};
const connections = [
	{name: 'proxy proxy.secret.example:3128', kind: 'proxy'},
	{name: 'direct', kind: 'direct'},
];
const path = (
	connection: string,
	state: ReportedPath['state'],
	since: number,
	changes: Partial<ReportedPath> = {},
): ReportedPath => ({
	connection,
	state,
	since,
	lastSuccessAt: state === 'connected' ? noon : undefined,
	errorType: state === 'disconnected' ? 'ERR_CONNECTION_REFUSED' : undefined,
	...changes,
});
const proxyLost = path('proxy proxy.secret.example:3128', 'disconnected', noon, {lastSuccessAt: noon - hour});
const directWorks = path('direct', 'connected', noon);
const positions = (paths: readonly ReportedPath[], now: number) =>
	lostConnections(connections, paths, now).map(({position}) => position);

test('a connection is lost after 15 minutes, while another one delivers', t => {
	t.deepEqual(positions([proxyLost, directWorks], noon + 15 * minute - 1), []);
	t.deepEqual(positions([proxyLost, directWorks], noon + 15 * minute), [1]);
});

for (const [title, paths] of [
	['no other one delivers', [proxyLost, path('direct', 'disconnected', noon)]],
	['the other one was never used', [proxyLost, path('direct', 'unknown', noon)]],
	['it leads to a backup server still', [proxyLost, {...proxyLost, state: 'degraded' as const}, directWorks]],
	['nothing is known of it', [path('proxy proxy.secret.example:3128', 'unknown', noon), directWorks]],
] as const) {
	test(`no report when ${title}`, t => t.deepEqual(positions(paths, noon + hour), []));
}

test('a clock that was set back a year does not keep the report for a year', t => {
	t.deepEqual(positions([proxyLost, directWorks], noon - 365 * 24 * hour), [1]);
});

async function open(t: Parameters<typeof openHouse>[0]) {
	const house = await openHouse(t);
	const report = (now: number, paths = [proxyLost, directWorks], of: System | undefined = system) =>
		house.store.write(records => reportLostConnections(records, {connections, paths, system: of, now}));
	return {house, report};
}

test('a lost connection is reported by its place and kind, and not by the name of the proxy', async t => {
	const {house, report} = await open(t);
	t.is((await report(noon + hour)).length, 1);
	const [submission] = await house.queue();
	t.like(submission, {type: 'connection_report', content: {system}});
	t.deepEqual(submission?.content.connections, {
		count: 2,
		lost: [{position: 1, kind: 'proxy', since: noon, lastSuccessAt: noon - hour, errorType: 'ERR_CONNECTION_REFUSED'}],
	});
	t.notRegex(JSON.stringify(submission), /secret/);
});

test('it is reported once in 8 hours, over restarts too', async t => {
	const {house, report} = await open(t);
	const times: number[] = [];
	for (let now = noon; now < noon + 24 * hour; now += minute) if ((await report(now)).length > 0) times.push(now);
	t.deepEqual(times, [noon + 15 * minute, noon + 15 * minute + 8 * hour, noon + 15 * minute + 16 * hour]);
	t.is((await house.queue()).length, 1, 'the newest wins');
	await house.close();
	const again = await openHouse(t, {directory: house.directory});
	const repeated = await again.store.write(records =>
		reportLostConnections(records, {connections, paths: [proxyLost, directWorks], system, now: noon + 24 * hour}),
	);
	t.deepEqual(repeated, []);
});

test('a clock that was wrong at the last report does not end the reports', async t => {
	const {report} = await open(t);
	await report(noon + 365 * 24 * hour);
	t.is((await report(noon + hour)).length, 1);
});

test('without a system nothing is sent, and it is said all the same', async t => {
	const {house} = await open(t);
	const parts = {connections, paths: [proxyLost, directWorks], system: undefined, now: noon + hour};
	t.is((await house.store.write(records => reportLostConnections(records, parts))).length, 1);
	t.deepEqual(await house.queue(), []);
	t.is((await house.store.write(records => reportLostConnections(records, parts))).length, 0);
});

test('a report that is answered leaves the queue, and touches no problem', async t => {
	const {house, report} = await open(t);
	await report(noon + hour);
	await house.answer('connection_report');
	t.deepEqual([await house.queue(), await house.problems()], [[], []]);
});

const anyPath = fc.record({
	connection: fc.constantFrom('a', 'b', 'c'),
	state: fc.constantFrom('connected', 'degraded', 'disconnected', 'unknown'),
	since: fc.option(fc.integer({min: noon - hour, max: noon + hour}), {nil: undefined}),
	lastSuccessAt: fc.option(fc.nat(), {nil: undefined}),
	errorType: fc.option(fc.string(), {nil: undefined}),
});

test('whatever the paths are, never all connections are reported, and none that leads anywhere', t => {
	fc.assert(
		fc.property(fc.array(anyPath, {maxLength: 12}), paths => {
			const three = ['a', 'b', 'c'].map(name => ({name, kind: 'proxy'}));
			const lost = lostConnections(three, paths, noon);
			t.true(lost.length < three.length);
			for (const {name} of lost) {
				t.false(paths.some(({connection, state}) => connection === name && (state === 'connected' || state === 'degraded')));
			}
		}),
	);
	t.pass();
});
