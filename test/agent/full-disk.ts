import {execFileSync} from 'node:child_process';
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {alertRequest, post, scrape, startBridge} from '../helpers/bridge.ts';
import {eventually, temporaryDirectory} from '../helpers/listen.ts';

/** A disk of a few megabytes; undefined where this user may not mount one. */
function mountSmallDisk(directory: string): boolean {
	try {
		mkdirSync(directory, {recursive: true});
		execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', directory], {stdio: 'ignore'});
		return true;
	} catch {
		return false;
	}
}

test('a full disk is answered with 503 and Retry-After, and when there is room again it goes on without a restart', async t => {
	const disk = join(await temporaryDirectory(t), 'disk');
	if (!mountSmallDisk(disk)) {
		t.log('skipped: this user may not mount a file system');
		return t.assert(!process.env.CI, 'CI runs as a user who may mount');
	}
	const bridge = await startBridge(t, {store: {directory: join(disk, 'state')}});
	t.teardown(() => execFileSync('umount', ['--lazy', disk]));
	const {otlp, metrics} = bridge.urls;
	const {read} = bridge.callHome.store;
	t.is((await post(otlp, alertRequest({serial: 'A000001', uid: 'kept'}))).status, 200);
	await eventually(async () => (await read.listProblems({states: ['open']}))[0]);

	const ballast = join(disk, 'ballast');
	t.throws(() => writeFileSync(ballast, Buffer.alloc(8 * 1024 ** 2)), {code: 'ENOSPC'});
	const filler = 'x'.repeat(20_000);
	const refused = await eventually(
		async () => {
			const response = await post(otlp, alertRequest({serial: 'A000002', uid: `filling-${Math.random()}`, body: filler}));
			return response.status !== 200 && response;
		},
		{timeoutMillis: 60_000, intervalMillis: 0},
	);
	t.is(refused.status, 503);
	t.regex(refused.headers.get('retry-after') ?? '', /^\d+$/);
	t.log(bridge.said.join('\n').slice(0, 2000));
	t.true(bridge.said.some(line => line.startsWith('error') && line.includes('the store cannot write')));
	t.true(
		((await scrape(metrics)).get(
			'callhome_intake_records_total{callhome_intake_outcome="refused",callhome_intake_signal="logs"}',
		) ?? 0) >= 1,
	);

	rmSync(ballast);
	const accepted = await post(otlp, alertRequest({serial: 'A000003', uid: 'after', id: 'psu-1', type: 'power_supply'}));
	t.is(accepted.status, 200);
	t.deepEqual([...(await read.keptIds(['kept', 'after']))].sort(), ['after', 'kept']);
	await eventually(
		async () => (await read.listProblems({states: ['open']})).some(({system}) => system?.serialNumber === 'A000003'),
		{timeoutMillis: 30_000},
	);
});
