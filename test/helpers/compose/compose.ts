import {spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {chown, mkdir, readFile, writeFile} from 'node:fs/promises';
import {type AddressInfo, connect, createServer} from 'node:net';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {ExecutionContext} from 'ava';
import {parse} from 'yaml';
import {eventually, temporaryDirectory} from '../listen.ts';
import {requiredPeer} from '../peer-binaries.ts';
import {type Program, startProgram} from '../program.ts';

type Service = {
	readonly image: string;
	readonly command?: readonly string[];
	readonly working_dir?: string;
	readonly volumes?: readonly string[];
	readonly tmpfs?: readonly string[];
};

/** What an image brings: its program, who runs it, and with what when the compose file says nothing. */
type Image = {
	readonly program: () => string;
	readonly user: number;
	readonly args: readonly string[];
};

/** Source: the Dockerfiles of the images. The programs are those of the peers, at about the same version. */
const images: Readonly<Record<string, Image>> = {
	node: {program: () => process.execPath, user: 0, args: []},
	'otel/opentelemetry-collector-contrib': {program: () => requiredPeer('otelcol'), user: 10_001, args: []},
	'prom/prometheus': {
		program: () => requiredPeer('prometheus3'),
		user: 65_534,
		args: ['--config.file=/etc/prometheus/prometheus.yml', '--storage.tsdb.path=/prometheus'],
	},
	'prom/alertmanager': {
		program: () => requiredPeer('prometheus-alertmanager'),
		user: 65_534,
		args: ['--config.file=/etc/alertmanager/alertmanager.yml', '--storage.path=/alertmanager'],
	},
};

export type Composed = {
	/** By the name of the service; those whose image has no peer are not run. */
	readonly programs: Readonly<Record<string, Program>>;
	/** A port that a service listens on, as a loopback address of this machine. */
	publish(port: number): Promise<URL>;
};

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/**
What `docker compose up` does, without Docker: each service in a root directory of its own, with the files that are mounted into
it, its user and its command. They share one network namespace, in which the name of each leads to loopback.
*/
export async function composeUp(t: ExecutionContext, composeFile: string): Promise<Composed> {
	const {services} = parse(await readFile(composeFile, 'utf8')) as {services: Record<string, Service>};
	const directory = await temporaryDirectory(t);
	const space = await openSpace(t);
	const hosts = join(directory, 'hosts');
	await writeFile(hosts, `127.0.0.1 localhost ${Object.keys(services).join(' ')}\n`);
	const programs: Record<string, Program> = {};
	for (const [name, service] of Object.entries(services)) {
		const image = images[service.image.replace(/:[^:]*$/, '')];
		if (image) programs[name] = await startContainer(t, {name, service, image, composeFile, directory, space, hosts});
	}
	return {programs, publish: port => publishPort(t, {directory, space, port})};
}

/** With an address of a private network as Docker gives one, which some programs look for. Nothing leads out. */
async function openSpace(t: ExecutionContext): Promise<string> {
	const space = `cbc${process.pid % 100_000}`;
	const steps = [
		['netns', 'add', space],
		['-n', space, 'link', 'set', 'lo', 'up'],
		['-n', space, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1'],
		['-n', space, 'address', 'add', '172.18.0.2/16', 'dev', 'eth0'],
		['-n', space, 'link', 'set', 'eth0', 'up'],
		['-n', space, 'link', 'set', 'eth1', 'up'],
		['-n', space, 'route', 'add', 'default', 'dev', 'eth0'],
	];
	t.teardown(() => {
		spawnSync(requiredPeer('ip'), ['netns', 'delete', space]);
	});
	for (const step of steps) {
		const {status, stderr} = spawnSync(requiredPeer('ip'), step, {encoding: 'utf8'});
		if (status !== 0) throw new Error(`ip ${step.join(' ')}: ${stderr}`);
	}
	return space;
}

type Container = {
	readonly name: string;
	readonly service: Service;
	readonly image: Image;
	readonly composeFile: string;
	readonly directory: string;
	readonly space: string;
	readonly hosts: string;
};

async function startContainer(t: ExecutionContext, container: Container): Promise<Program> {
	const {name, service, image, directory, space, hosts} = container;
	const {command = image.args, working_dir = '/', tmpfs = []} = service;
	const root = join(directory, `root-${name}`);
	await mkdir(root);
	const isNode = image.program() === process.execPath; // The entry point of its image runs the whole command.
	const env = {
		ROOT: root,
		HOSTS: hosts,
		USER_ID: String(image.user),
		DIRECTORY: working_dir,
		PROGRAM: image.program(),
		IMAGE_PROGRAM: `/image/${isNode ? command[0] : name}`,
		MOUNTS: (await mountsOf(container)).join('\n'),
		TMPFS: tmpfs.map(text => text.replace(':', ' ')).join('\n'),
	};
	const args = ['netns', 'exec', space, 'sh', here('container.sh'), ...(isNode ? command.slice(1) : command)];
	return startProgram(t, requiredPeer('ip'), args, {env});
}

/** Named volumes begin empty and belong to the user of the image. */
async function mountsOf({service: {volumes = []}, image, composeFile, directory}: Container): Promise<string[]> {
	const mounts: string[] = [];
	for (const volume of volumes) {
		const [source = '', target = '', mode = 'rw'] = volume.split(':');
		const isNamed = !source.startsWith('.');
		const path = isNamed ? join(directory, `volume-${source}`) : resolve(dirname(composeFile), source);
		if (isNamed) {
			await mkdir(path, {recursive: true});
			await chown(path, image.user, image.user);
		}
		mounts.push(`${path} ${target} ${mode}`);
	}
	return mounts;
}

/** Over a socket in the file system, which no network namespace hides. */
async function publishPort(t: ExecutionContext, {directory, space, port}: {directory: string; space: string; port: number}) {
	const socket = join(directory, `port-${port}`);
	await startProgram(t, requiredPeer('ip'), ['netns', 'exec', space, process.execPath, here('relay.ts'), String(port), socket]);
	const server = createServer(outside => {
		const inside = connect(socket);
		outside.on('error', () => inside.destroy()).pipe(inside);
		inside.on('error', () => outside.destroy()).pipe(outside);
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => {
		server.close();
	});
	const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
	await eventually(() => fetch(url), {timeoutMillis: 60_000, intervalMillis: 200});
	return url;
}
