import {spawnSync} from 'node:child_process';
import test from 'ava';
import {alertRequest, post, scrape, startBridge} from '../helpers/bridge.ts';
import {eventually} from '../helpers/listen.ts';
import {peer} from '../helpers/peers.ts';

/** Of this test process alone: a network namespace behind a pair of virtual interfaces, and addresses for documentation (RFC 5737) in it. */
const id = process.pid % 100_000;
const space = `cb${id}`;
const [outside, inside] = [`cbo${id}`, `cbi${id}`];
const network = `169.254.${(id % 250) + 2}`;

const ip = (...args: string[]) => spawnSync(peer('ip') ?? 'ip', args, {encoding: 'utf8'});

function setUp(): string | undefined {
	const steps = [
		['netns', 'add', space],
		['link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', space],
		['address', 'add', `${network}.1/30`, 'dev', outside],
		['link', 'set', outside, 'up'],
		['-n', space, 'address', 'add', `${network}.2/30`, 'dev', inside],
		['-n', space, 'link', 'set', inside, 'up'],
		['netns', 'exec', space, 'sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward'],
		['route', 'add', '198.51.100.0/29', 'via', `${network}.2`, 'dev', outside],
		['-n', space, 'route', 'add', 'blackhole', '198.51.100.1/32'],
		['-n', space, 'route', 'add', 'unreachable', '198.51.100.2/32'],
		['-n', space, 'route', 'add', 'prohibit', '198.51.100.3/32'],
	];
	for (const step of steps) {
		const {status, stderr, error} = ip(...step);
		if (status !== 0) return `ip ${step.join(' ')}: ${(stderr ?? String(error)).trim()}`;
	}
	return undefined;
}

function tearDown() {
	ip('link', 'delete', outside); // Its other end and the routes over it go with it.
	ip('netns', 'delete', space);
}

const refusal = setUp();
if (refusal !== undefined) tearDown();
else test.after.always(tearDown);

const cases = [
	['drops packets', '198.51.100.1', 'ERR_CONNECTION_TIMEOUT'],
	['rejects packets as unreachable', '198.51.100.2', 'ERR_CONNECTION_REFUSED'],
	['rejects packets as prohibited', '198.51.100.3', 'ERR_CONNECTION_REFUSED'],
] as const;

for (const [what, address, code] of cases) {
	const title = `behind a network that ${what} the next connection is used`;
	if (refusal !== undefined) {
		test.skip(`${title} (no network namespace here: ${refusal})`, () => {});
		continue;
	}
	test.serial(title, async t => {
		const bridge = await startBridge(t, {
			systems: [{match: {'host.name': 'db01'}, machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C'}],
			connections: [{proxy: {url: `http://${address}:3128`, name: 'proxy', connect_timeout: '2s'}}, {direct: {}}],
		});
		await post(bridge.urls.otlp, alertRequest({}));
		const {read} = bridge.callHome.store;
		await eventually(async () => (await read.listProblems({states: ['open']})).length > 0, {timeoutMillis: 60_000});
		const attempts = [...(await scrape(bridge.urls.metrics))].filter(([name]) => name.startsWith('callhome_connection_attempts'));
		const names = attempts.map(([name]) => name).join('\n');
		const of = (connection: string, error: string) =>
			attempts.some(([name]) => name.includes(`callhome_connection="${connection}"`) && name.includes(`error_type="${error}"`));
		t.true(of('proxy', code), names);
		t.true(
			attempts.some(([name]) => name.includes('callhome_connection="direct"') && !name.includes('error_type')),
			names,
		);
		await bridge.shutdown();
	});
}
