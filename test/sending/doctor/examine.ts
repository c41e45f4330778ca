import test from 'ava';
import fc from 'fast-check';
import {type Purpose, purposes} from '../../../src/destination.ts';
import {BridgeError} from '../../../src/errors.ts';
import {changesBetween} from '../../../src/sending/doctor/changes.ts';
import type {PathResult} from '../../../src/sending/doctor/diagnosis.ts';
import {type Examination, examine} from '../../../src/sending/doctor/examine.ts';
import {serverLine, verdictLine} from '../../../src/sending/doctor/summary.ts';
import type {WalkTarget} from '../../../src/sending/walk.ts';
import {
	connectionOf,
	destinationOf,
	dropped,
	failed,
	goesWell,
	goesWellThrough,
	never,
	passed,
	type Script,
	serverOf,
	systemError,
} from '../../helpers/scripted-walks.ts';

const run = (examination: Partial<Examination>) =>
	examine({connections: [], destinations: [], probes: () => undefined, signal: never, ...examination});

const esupport = serverOf('esupport.example', {addresses: ['192.0.2.7', '192.0.2.8']});
const problems = destinationOf('problem_reporting', esupport);
const of = (paths: readonly PathResult[], by: 'name' | 'address') => paths.filter(path => path.by === by);

test('a server that serves two purposes is walked once over each connection, by name and by its first address', async t => {
	const {paths, servers, passed} = await run({
		connections: [connectionOf('direct', goesWell), connectionOf('proxy p:3128', goesWellThrough('p:3128'))],
		destinations: [problems, destinationOf('service_information', esupport)],
	});
	t.deepEqual(
		paths.map(({connection, by, address, outcome}) => [connection, by, address, outcome]),
		[
			['direct', 'name', undefined, 'passed'],
			['direct', 'address', '192.0.2.7', 'passed'],
			['proxy p:3128', 'name', undefined, 'passed'],
			['proxy p:3128', 'address', '192.0.2.7', 'passed'],
		],
	);
	t.deepEqual(paths[0]?.purposes, ['problem_reporting', 'service_information']);
	t.like(servers[0], {working: ['direct', 'proxy p:3128'], passed: true});
	t.is(servers.length, 1);
	t.true(passed);
});

test('what a connection may not carry is not walked over it, and a destination that nobody may carry to has no way', async t => {
	const walked: string[] = [];
	const uploads = destinationOf('extended_error_data', serverOf('upload.example'));
	const {servers, passed} = await run({
		connections: [connectionOf('direct', goesWell, {traffic: ['events', 'telemetry'], onWalk: ({host}) => walked.push(host)})],
		destinations: [problems, uploads],
	});
	t.deepEqual([...new Set(walked)], ['esupport.example']);
	t.like(servers[1], {host: 'upload.example', connections: [], working: [], passed: false});
	t.false(passed);
	t.regex(servers[1] ? serverLine(servers[1]) : '', /NO WAY, no connection may carry it/);
});

test('without a listed address the one is taken that the name led to, and the report says so', async t => {
	const {paths} = await run({
		connections: [connectionOf('direct', goesWell)],
		destinations: [destinationOf('problem_reporting', serverOf('esupport.example'))],
	});
	t.like(paths[1], {by: 'address', address: '192.0.2.7', outcome: 'passed'});
	t.regex(paths[1]?.note ?? '', /found by the name/);
});

test('an address that a proxy never tells is not walked to, and neither is one at which the name has just failed', async t => {
	const {paths} = await run({
		connections: [connectionOf('proxy p:3128', goesWellThrough('p:3128')), connectionOf('direct', dropped)],
		destinations: [destinationOf('problem_reporting', serverOf('esupport.example'))],
	});
	t.like(paths[1], {by: 'address', outcome: 'skipped'});
	t.regex(paths[1]?.note ?? '', /the proxy resolves the name/);
	t.like(paths[3], {by: 'address', outcome: 'skipped'});
	t.regex(paths[3]?.note ?? '', /led to 192\.0\.2\.7 already/);
});

test('a server that is configured by its address is walked once, and that counts', async t => {
	const {paths, passed} = await run({
		connections: [connectionOf('direct', goesWell)],
		destinations: [destinationOf('problem_reporting', serverOf('2001:db8::7'))],
	});
	t.is(paths.length, 1);
	t.like(paths[0], {by: 'address', address: '2001:db8::7', outcome: 'passed'});
	t.true(passed);
});

const nameFails = (target: WalkTarget) =>
	target.address === undefined
		? [failed('name', target.host, 'ERR_NAME_NOT_FOUND', 'not found', {cause: systemError('ENOTFOUND')})]
		: goesWell(target);
const addressFails = (target: WalkTarget) => (target.address === undefined ? goesWell(target) : dropped(target));
const nameLeadsAstray = (target: WalkTarget) => (target.address === undefined ? dropped(target) : goesWell(target));
const nothingWorks = (target: WalkTarget) => (target.address === undefined ? nameFails(target) : dropped(target));

for (const [what, script, expected, hasWay] of [
	['the name alone fails', nameFails, /The network is good and DNS is not/, false],
	['the listed address alone fails', addressFails, /lists of addresses age/, true],
	['the name leads to a dead address', nameLeadsAstray, /DNS gives an address that is not reached/, false],
	['both fail behind DNS', dropped, /this is the network, and not DNS/, false],
	['DNS and the network fail', nothingWorks, /the network fails, too/, false],
	['both work', goesWell, undefined, true],
] as const) {
	test(`DNS is told from the network: ${what}`, async t => {
		const {paths, passed} = await run({connections: [connectionOf('direct', script)], destinations: [problems]});
		const [byName] = of(paths, 'name');
		if (expected) t.regex(byName?.note ?? '', expected);
		else t.is(byName?.note, undefined);
		t.is(passed, hasWay);
	});
}

test('a destination whose primary is gone has a way when its backup works', async t => {
	const uploads = destinationOf('extended_error_data', serverOf('first.example'), serverOf('second.example'));
	const {servers, passed, asks} = await run({
		connections: [connectionOf('direct', target => (target.host === 'first.example' ? dropped(target) : goesWell(target)))],
		destinations: [uploads],
	});
	t.true(passed);
	t.like(servers[0], {working: [], passed: true, backups: ['second.example:443']});
	t.like(asks[0], {host: 'first.example', needed: false});
});

test('plain HTTP is never walked to', async t => {
	const walked: number[] = [];
	await run({
		connections: [connectionOf('direct', goesWell, {onWalk: ({port}) => walked.push(port)})],
		destinations: [
			destinationOf('configuration_updates', serverOf('www.example', {ports: [443, 80]}), serverOf('old.example', {ports: [80]})),
		],
	});
	t.deepEqual([...new Set(walked)], [443]);
});

test('one of several proxies of a PAC file that fails is a warning, as the next one leads on', async t => {
	const {paths} = await run({
		connections: [
			connectionOf('pac', target => [
				failed('connection', 'gone:3128', 'ERR_CONNECTION_REFUSED', 'refused', {cause: systemError('ECONNREFUSED')}),
				...goesWellThrough('p:3128')(target),
			]),
		],
		destinations: [problems],
	});
	t.like(of(paths, 'name')[0], {outcome: 'warned', failedStage: undefined});
	t.is(of(paths, 'name')[0]?.stages[0]?.outcome, 'failed');
});

test('where no question is known the application is skipped with the reason, and where none is wished HTTP, too', async t => {
	const asked: (string | undefined)[] = [];
	const stagesOf = async (probes: Examination['probes']) => {
		const connections = [
			connectionOf('direct', goesWell, {onWalk: ({probe}) => asked.push(probe && `${probe.method} ${probe.path}`)}),
		];
		const {paths} = await run({connections, destinations: [problems], probes});
		return paths[0]?.stages.slice(-2).map(({stage, outcome, detail}) => [stage, outcome, detail]);
	};
	t.deepEqual(await stagesOf(() => undefined), [
		['http', 'passed', 'HTTP status 200'],
		['application', 'skipped', 'no question is known that leaves nothing behind'],
	]);
	t.is(asked.at(-1), 'HEAD /');
	t.deepEqual(await stagesOf('none'), [
		['http', 'skipped', 'not asked, as was wished'],
		['application', 'skipped', 'not asked, as was wished'],
	]);
	t.is(asked.at(-1), undefined);
	const probe = {method: 'POST', path: '/api', headers: {}, body: '{}', judge: () => ({})} as const;
	t.deepEqual(await stagesOf(() => probe), [
		['http', 'passed', 'HTTP status 200'],
		['application', 'passed', undefined],
	]);
});

test('a walk that comes back empty is a path without a way, and no success', async t => {
	const {paths, passed} = await run({connections: [connectionOf('direct', () => [])], destinations: [problems]});
	t.like(paths[0], {outcome: 'failed', failedStage: 'connection'});
	t.false(passed);
});

test('nothing to be walked to is no success', async t => {
	t.false((await run({connections: [connectionOf('direct', goesWell)]})).passed);
});

test('a black hole holds nobody else up: the run is as long as its slowest walk', async t => {
	const holeMillis = 2000;
	const [started] = [performance.now()];
	const hosts = ['a', 'b', 'c', 'd', 'e', 'f'].map(name => serverOf(`${name}.example`, {addresses: ['192.0.2.1']}));
	const connections = ['direct', 'proxy 1', 'proxy 2', 'proxy 3'].map(name =>
		connectionOf(name, goesWell, {millis: ({host}) => (host === 'c.example' ? holeMillis : 1)}),
	);
	const done: number[] = [];
	const {paths} = await run({
		connections,
		destinations: hosts.map(host => destinationOf('problem_reporting', host)),
		onPath: (_path, count, total) => {
			t.is(total, 48);
			done.push(count);
		},
	});
	t.is(paths.length, 48);
	t.deepEqual(
		done,
		Array.from({length: 48}, (_, index) => index + 1),
	);
	// Two of them after each other would be 4000.
	t.true(performance.now() - started < 2 * holeMillis - 100);
});

test('no more pairs are walked at once than wished, and all are', async t => {
	let [open, most] = [0, 0];
	const connection = connectionOf('direct', goesWell);
	const counting = {
		...connection,
		walk: async (...args: Parameters<typeof connection.walk>) => {
			open += 1;
			most = Math.max(most, open);
			await new Promise(resolve => setImmediate(resolve));
			open -= 1;
			return connection.walk(...args);
		},
	};
	const servers = Array.from({length: 20}, (_, index) => serverOf(`s${index}.example`));
	const {paths} = await run({
		connections: [counting],
		destinations: [destinationOf('problem_reporting', ...servers)],
		concurrency: 3,
	});
	t.is(paths.length, 40);
	t.is(most, 3);
});

test('what others have to allow is asked for once for each hop, with all that it is for', async t => {
	const refused = (target: WalkTarget) => [
		passed('connection', 'proxy.example:3128'),
		failed('proxy', 'proxy.example:3128', 'ERR_PROXY_REFUSED', `refused a tunnel to ${target.host}:443 with status 403.`),
	];
	const proxyIsGone = () => [failed('connection', 'gone.example:3128', 'ERR_CONNECTION_TIMEOUT', 'does not answer')];
	const inspected = (target: WalkTarget) => [
		...goesWell({...target, address: '192.0.2.7'}).slice(0, 1),
		failed('tls', `${target.host}:443`, 'ERR_TLS_INSPECTED', 'The certificate is presented by "CN=Box", not by IBM’s CA'),
	];
	const {asks} = await run({
		connections: [
			connectionOf('direct', dropped),
			connectionOf('proxy proxy.example:3128', refused),
			connectionOf('proxy gone.example:3128', proxyIsGone),
			connectionOf('direct 2', inspected),
		],
		destinations: [
			problems,
			destinationOf('service_information', esupport),
			destinationOf('extended_error_data', serverOf('up.example')),
		],
	});
	t.deepEqual(
		asks.map(({kind, from, host, port, needed}) => [kind, from, host, port, needed]),
		[
			['tcp', 'this machine', 'esupport.example', 443, true],
			['tcp', 'this machine', 'up.example', 443, true],
			['connect', 'proxy proxy.example:3128', 'esupport.example', 443, true],
			['connect', 'proxy proxy.example:3128', 'up.example', 443, true],
			['tcp', 'this machine', 'gone.example', 3128, true],
			['no_inspection', 'this machine', 'esupport.example', 443, true],
			['no_inspection', 'this machine', 'up.example', 443, true],
		],
	);
	t.deepEqual(asks[0]?.purposes, ['problem_reporting', 'service_information']);
	t.deepEqual(asks[4]?.purposes, ['problem_reporting', 'service_information', 'extended_error_data']);
	t.deepEqual(asks[0]?.addresses, ['192.0.2.7', '192.0.2.8']);
});

const outcomes = fc.constantFrom('well', 'dropped', 'name');
const scripts = {well: goesWell, dropped, name: nameFails};

test('whatever works and whatever fails, the verdict is that of the single paths', async t => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.record({outcome: outcomes, traffic: fc.subarray(['events', 'uploads', 'downloads'] as const)}), {maxLength: 4}),
			fc.array(fc.record({purpose: fc.constantFrom(...purposes), host: fc.constantFrom('a.example', 'b.example', '192.0.2.1')}), {
				maxLength: 4,
			}),
			async (ways, wanted) => {
				const connections = ways.map(({outcome, traffic}, index) => connectionOf(`direct ${index}`, scripts[outcome], {traffic}));
				const destinations = wanted.map(({purpose, host}) => destinationOf(purpose, serverOf(host, {addresses: ['192.0.2.9']})));
				const {paths, servers, passed} = await run({connections, destinations});
				const hasWay = (purpose: Purpose) =>
					paths.some(
						path =>
							path.purposes.includes(purpose) && path.outcome === 'passed' && (path.by === 'name' || path.address === path.host),
					);
				t.is(passed, wanted.length > 0 && wanted.every(({purpose}) => hasWay(purpose)));
				for (const path of paths) t.is(path.outcome === 'failed', path.stages.at(-1)?.error instanceof BridgeError);
				t.is(new Set(servers.map(({host}) => host)).size, servers.length);
			},
		),
		{numRuns: 150},
	);
});

test('what is given up is not called broken: what is known by then is the result', async t => {
	const stop = new AbortController();
	const given: Script = target => (target.host === 'up.example' && stop.signal.aborted ? dropped(target) : goesWell(target));
	const connections = [
		connectionOf('direct', given, {
			millis: ({host}) => (host === 'up.example' ? 60_000 : 0),
			onWalk: ({host}) => host === 'up.example' && setTimeout(() => stop.abort(), 50),
		}),
	];
	const uploads = destinationOf('extended_error_data', serverOf('up.example', {addresses: ['192.0.2.9']}));
	const diagnosis = await run({connections, destinations: [problems, uploads], signal: stop.signal});
	t.true(diagnosis.interrupted);
	t.false(diagnosis.passed);
	t.deepEqual(
		diagnosis.paths.map(({host, by, outcome, givenUpAt}) => [host, by, outcome, givenUpAt]),
		[
			['esupport.example', 'name', 'passed', undefined],
			['esupport.example', 'address', 'passed', undefined],
			['up.example', 'name', 'skipped', 'connection'],
			['up.example', 'address', 'skipped', 'connection'],
		],
	);
	t.is(diagnosis.paths[2]?.note, 'given up at TCP after 3 ms');
	t.deepEqual(diagnosis.asks, []);
	t.regex(diagnosis.servers[1] ? serverLine(diagnosis.servers[1]) : '', /uploads\): not known, 1 of 1 connection not walked/);
	t.is(verdictLine(diagnosis), 'INTERRUPTED: 2 path(s) were not walked to the end, and none has failed so far.');
	t.deepEqual(changesBetween(undefined, diagnosis), [], 'and it is no news');
});

test('a proxy that refuses is no matter of a firewall, and one that is silent may be', async t => {
	const proxyFails = (code: 'ERR_CONNECTION_REFUSED' | 'ERR_CONNECTION_TIMEOUT') => () => [
		failed('connection', 'p.example:3128', code, 'no', {cause: systemError('ECONNREFUSED')}),
	];
	const asksAfter = async (script: Script) =>
		(await run({connections: [connectionOf('proxy p', script)], destinations: [problems]})).asks.map(({kind, host}) => [
			kind,
			host,
		]);
	t.deepEqual(await asksAfter(proxyFails('ERR_CONNECTION_REFUSED')), []);
	t.deepEqual(await asksAfter(proxyFails('ERR_CONNECTION_TIMEOUT')), [['tcp', 'p.example']]);
});
