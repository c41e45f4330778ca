import {readFile, stat, writeFile} from 'node:fs/promises';
import {hostname} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {packageVersion, readInstanceId, resourceAttributes} from '../../src/own-telemetry/resource.ts';
import {temporaryDirectory} from '../helpers/listen.ts';

test('the same installation has the same id, in a file of its own', async t => {
	const directory = join(await temporaryDirectory(t), 'new', 'store');
	const id = await readInstanceId(directory);
	t.regex(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
	t.is(await readInstanceId(directory), id);
	t.is((await stat(join(directory, 'instance-id'))).mode & 0o777, 0o600);
});

test('two installations have two ids', async t => {
	t.not(await readInstanceId(await temporaryDirectory(t)), await readInstanceId(await temporaryDirectory(t)));
});

for (const damage of ['', 'half-an-i', '\0'.repeat(37)]) {
	test(`a damaged file (${JSON.stringify(damage)}) is replaced`, async t => {
		const directory = await temporaryDirectory(t);
		await writeFile(join(directory, 'instance-id'), damage);
		const id = await readInstanceId(directory);
		t.is(await readFile(join(directory, 'instance-id'), 'utf8'), `${id}\n`);
	});
}

test('a directory that is none is named', async t => {
	const directory = join(await temporaryDirectory(t), 'file');
	await writeFile(directory, '');
	await t.throwsAsync(readInstanceId(directory), {
		code: 'ERR_CONFIG',
		message: /^store\.directory: cannot keep .*instance-id: ENOTDIR/,
	});
});

test('the resource says who, and nothing that changes with a restart', t => {
	const attributes = resourceAttributes({service_name: 'bridge', resource: {'service.namespace': 'site'}}, 'id-1');
	t.deepEqual(attributes, {
		'service.name': 'bridge',
		'service.version': packageVersion(),
		'service.instance.id': 'id-1',
		'host.name': hostname(),
		'service.namespace': 'site',
	});
	t.regex(packageVersion(), /^\d+\.\d+\.\d+/);
});
