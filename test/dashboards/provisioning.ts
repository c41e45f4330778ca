import {execFile} from 'node:child_process';
import {readdirSync} from 'node:fs';
import {access, readFile} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';
import {parse} from 'yaml';
import {prometheusUid} from '../../dashboards/alert-rules/grafana-rules.ts';
import {parseConfig} from '../../src/config.ts';
import {requiredPeer} from '../helpers/peer-binaries.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {promtool} from '../helpers/promtool.ts';

const folder = fileURLToPath(new URL('../../dashboards/provisioning/', import.meta.url));
const read = async (path: string) => readFile(join(folder, path), 'utf8');

test('what the compose file mounts is there, and each service has a fixed version', async t => {
	const {services, volumes} = parse(await read('docker-compose.yaml')) as {
		services: Record<string, {image: string; volumes?: string[]}>;
		volumes: Record<string, unknown>;
	};
	t.deepEqual(Object.keys(services), ['callhome', 'collector', 'prometheus', 'alertmanager', 'grafana']);
	for (const [name, {image, volumes: mounts = []}] of Object.entries(services)) {
		t.regex(image, /:v?\d/, name);
		for (const mount of mounts) {
			const [source = ''] = mount.split(':');
			if (source.startsWith('.')) await t.notThrowsAsync(access(resolve(folder, source)), mount);
			else t.true(source in volumes, mount);
		}
	}
});

test('the first alert of the README gets to the bridge of the compose file, from this machine alone', async t => {
	const {services} = parse(await read('docker-compose.yaml')) as {services: Record<string, {ports?: string[]}>};
	for (const port of Object.values(services).flatMap(({ports = []}) => ports)) t.regex(port, /^127\.0\.0\.1:\d+:\d+$/);
	const [, port] = /curl http:\/\/127\.0\.0\.1:(\d+)\/v1\/logs/.exec(await read('../../README.md')) ?? [];
	t.deepEqual(services.callhome?.ports, [`127.0.0.1:${port}:${port}`]);
	t.is(parse(await read('callhome.yaml')).receivers.otlp.endpoint, `0.0.0.0:${port}`);
});

test('the configuration of the bridge is right', async t => {
	const {faults} = parseConfig(await read('callhome.yaml'), folder, {});
	t.deepEqual(faults, []);
});

test('the rules of Grafana ask the data source that is made', async t => {
	const {datasources} = parse(await read('grafana/datasources/callhome.yaml'));
	t.deepEqual(
		datasources.map(({uid}: {uid: string}) => uid),
		[prometheusUid],
	);
});

testWithPeer('promtool', 'promtool finds nothing wrong with the configuration of Prometheus', async t => {
	const {ok, output} = await promtool('check', 'config', join(folder, 'prometheus/prometheus.yaml'));
	t.true(ok, output);
});

testWithPeer('amtool', 'amtool finds nothing wrong with the configuration of Alertmanager', async t => {
	const file = resolve(folder, '../alertmanager/alertmanager.yaml');
	await t.notThrowsAsync(promisify(execFile)(requiredPeer('amtool'), ['check-config', file]));
});

/** The recipes that stand on their own, and with what; the others are given beside forward.yaml. */
const alone: Record<string, readonly string[]> = {
	'own-telemetry': ['../collector/own-telemetry.yaml', 'collector.yaml'],
	forward: ['../collector/forward.yaml'],
};
const names = readdirSync(join(folder, '../collector')).map(file => file.replace(/\.yaml$/, ''));
const recipes = Object.fromEntries(
	names.map(name => [name, alone[name] ?? ['../collector/forward.yaml', `../collector/${name}.yaml`]]),
);

test('the README tells of each recipe', async t => {
	const readme = await read('../../README.md');
	t.deepEqual(
		names.filter(name => !readme.includes(`\`${name}.yaml\``)),
		[],
	);
});

for (const [name, files] of Object.entries(recipes)) {
	testWithPeer('otelcol', `the Collector finds nothing wrong with ${name}`, async t => {
		const args = ['validate', ...files.flatMap(file => ['--config', resolve(folder, file)])];
		args.push(
			'--config',
			'yaml:extensions::file_storage/callhome::directory: /tmp',
			'--config',
			'yaml:extensions::file_storage/callhome::compaction::directory: /tmp',
		);
		const own = name === 'own-telemetry' ? args.slice(0, -4) : args;
		await t.notThrowsAsync(promisify(execFile)(requiredPeer('otelcol'), own));
	});
}
