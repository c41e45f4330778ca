import {createHash} from 'node:crypto';
import {chmod, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {freePort, temporaryDirectory} from './listen.ts';
import {requiredPeer} from './peer-binaries.ts';
import {startProgram} from './program.ts';

export type SquidOptions = {
	/** Asks for these credentials (407). */
	readonly basicAuth?: {readonly username: string; readonly password: string};
	/** Answers every CONNECT with 403. */
	readonly denyConnect?: boolean;
	/** Speaks TLS to its clients, with this certificate (PEM). */
	readonly tls?: {readonly certificate: string; readonly privateKey: string};
	/** The same port again, for a proxy that comes back. */
	readonly port?: number;
	/** Further lines of its configuration, before the access rules. */
	readonly configLines?: readonly string[];
};

export type Squid = {
	/** Without credentials. */
	readonly url: URL;
	readonly pid: number;
	/** One line for each request that is over: a tunnel is logged when it closes. */
	accessLog(): Promise<string>;
	stop(): Promise<void>;
};

/** A real squid on a free port of loopback: it leads to loopback only, caches nothing and ends with the test. */
export async function startSquid(t: ExecutionContext, options: SquidOptions = {}): Promise<Squid> {
	const directory = await temporaryDirectory(t);
	await chmod(directory, 0o777); // Started by root, squid goes on as another user, who writes the logs.
	const port = options.port ?? (await freePort());
	await writeConfig(directory, port, options);
	const program = await startProgram(t, requiredPeer('squid'), ['-N', '-d', '1', '-f', join(directory, 'squid.conf')]);
	t.teardown(() => program.stop('SIGKILL')); // A polite end takes it two seconds.
	await program.waitFor(/Accepting .* connections at/);
	return {
		url: new URL(`${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`),
		pid: program.pid,
		accessLog: () => readFile(join(directory, 'access.log'), 'utf8'),
		async stop() {
			await program.stop('SIGKILL');
		},
	};
}

const quietAndFast = [
	'visible_hostname localhost',
	'pid_filename none',
	'cache deny all',
	'cache_mem 1 MB',
	'pinger_enable off',
	'netdb_filename none',
	'max_filedescriptors 1024',
	'shutdown_lifetime 0 seconds',
	'connect_timeout 5 seconds',
	'dns_nameservers 127.0.0.1',
	'dns_timeout 1 seconds',
	'dns_retransmit_interval 200 milliseconds',
];

const authentication = (directory: string) => [
	`auth_param basic program /usr/lib/squid/basic_ncsa_auth ${directory}/passwords`,
	'auth_param basic children 2 startup=1 idle=1',
	'auth_param basic realm proxy',
	'acl known proxy_auth REQUIRED',
	'http_access deny !known',
];

async function writeConfig(directory: string, port: number, options: SquidOptions): Promise<void> {
	const {tls, basicAuth} = options;
	if (tls) await writeFile(join(directory, 'tls.pem'), `${tls.certificate}\n${tls.privateKey}\n`);
	// Unsalted MD5 is a hash that basic_ncsa_auth reads and that Node can write.
	const hash = createHash('md5')
		.update(basicAuth?.password ?? '')
		.digest('hex');
	if (basicAuth) await writeFile(join(directory, 'passwords'), `${basicAuth.username}:${hash}\n`);
	const lines = [
		tls ? `https_port 127.0.0.1:${port} tls-cert=${directory}/tls.pem` : `http_port 127.0.0.1:${port}`,
		`access_log stdio:${directory}/access.log`,
		`cache_log ${directory}/cache.log`,
		`coredump_dir ${directory}`,
		...quietAndFast,
		...(options.configLines ?? []),
		...(options.denyConnect ? ['acl tunnel method CONNECT', 'http_access deny tunnel'] : []),
		...(basicAuth ? authentication(directory) : []),
		'acl reachable dst 127.0.0.0/8 ::1',
		// Lets a test see what squid answers for a name that it cannot resolve: a 5xx after one to two seconds.
		'acl nowhere dstdomain -n .invalid',
		'http_access allow nowhere',
		'http_access allow reachable',
		'http_access deny all',
	];
	await writeFile(join(directory, 'squid.conf'), `${lines.join('\n')}\n`);
}
