import {generateKeyPairSync, type KeyObject, sign} from 'node:crypto';
import {mkdirSync, writeFileSync} from 'node:fs';
import {get as getHttp, type IncomingMessage} from 'node:http';
import {get as getHttps} from 'node:https';
import {dirname, join} from 'node:path';
import type {ExecutionContext} from 'ava';
import type {Activity} from '../../src/activity.ts';
import {destinationUpdateSchema} from '../../src/destinations/config.ts';
import {BridgeError, type BridgeErrorCode} from '../../src/errors.ts';
import {serviceabilityRuleSchema} from '../../src/processors/config.ts';
import type {UpdatedDestinations} from '../../src/updates/checker.ts';
import {updatesSchema} from '../../src/updates/config.ts';
import type {Fetch} from '../../src/updates/fetch.ts';
import {digestOf} from '../../src/updates/judge.ts';
import {readRules} from '../../src/updates/rules.ts';
import {stateFiles} from '../../src/updates/state.ts';
import {createUpdates} from '../../src/updates/updates.ts';
import {issue, makeAuthority} from './certificates.ts';
import {noon} from './decisions.ts';
import {temporaryDirectory} from './listen.ts';
import {listenSocket, listenTls} from './tls-server.ts';

export const authority = await makeAuthority('Update authority');
const localhost = await issue(authority, {commonName: 'localhost', hosts: ['localhost']});
export const foreignLocalhost = await issue(await makeAuthority('Somebody else'), {
	commonName: 'localhost',
	hosts: ['localhost'],
});

export type KeyPair = {readonly privateKey: KeyObject; readonly publicKey: KeyObject};
export const makeKeyPair = (): KeyPair => generateKeyPairSync('ed25519');
export const pemOf = ({publicKey}: KeyPair): string => publicKey.export({format: 'pem', type: 'spki'}).toString();
export const signatureOf = (bytes: Buffer, {privateKey}: KeyPair): string =>
	`${sign(null, bytes, privateKey).toString('base64')}\n`;

export const timeOf = (millis: number): string => new Date(millis).toISOString();
const day = 86_400_000;

/** A manifest as an update server would write it. */
export const manifestOf = (serial: number, changes: Record<string, unknown> = {}): Buffer =>
	Buffer.from(JSON.stringify({format: 1, serial, issued_at: timeOf(noon), expires_at: timeOf(noon + 90 * day), ...changes}));

export const serverList = (host: string) => ({
	problem_reporting: [{host, port: 443, addresses: ['192.0.2.7'], path: '/connect/api/v1'}],
});
export const fanRule = '- match: {hw.type: fan}\n  verdict: never\n';

/** An update server on HTTPS and one on plain HTTP with the same files; each can be cut or told to answer otherwise. */
export async function startUpdateServer(t: ExecutionContext, issued = localhost) {
	const files = new Map<string, Buffer>();
	const asked: string[] = [];
	const answer = {status: 200};
	const base = await listenTls(t, issued, (request, response) => {
		asked.push(`${request.method} ${request.url}`);
		const file = files.get(request.url ?? '');
		response.writeHead(file ? answer.status : 404).end(file);
	});
	/** Every byte that came in on the plain port, by connection. */
	const plainBytes: string[] = [];
	const plainPort = await listenSocket(t, socket => {
		const index = plainBytes.push('') - 1;
		socket.on('data', chunk => {
			plainBytes[index] += chunk.toString('latin1');
			const [, path = ''] = /^\S+ (\S+) /.exec(plainBytes[index] ?? '') ?? [];
			const file = files.get(path);
			if (!plainBytes[index]?.includes('\r\n\r\n')) return;
			socket.write(`HTTP/1.1 ${file ? 200 : 404} X\r\nContent-Length: ${file?.length ?? 0}\r\nConnection: close\r\n\r\n`);
			socket.end(file ?? '');
		});
	});
	const publish = (manifest: Buffer, pair: KeyPair) => {
		files.set('/callhome-updates.json', manifest);
		files.set('/callhome-updates.json.sig', Buffer.from(signatureOf(manifest, pair)));
	};
	return {
		files,
		answer,
		/** METHOD PATH of what came over HTTPS. */
		asked,
		plainBytes,
		publish,
		url: new URL('/callhome-updates.json', base),
		httpUrl: new URL(`http://127.0.0.1:${plainPort}/callhome-updates.json`),
		/** Puts a file on the server, and answers how a manifest names it. */
		offer(path: string, version: string, content: string | Buffer) {
			const bytes = Buffer.from(content);
			files.set(path, bytes);
			return {version, url: new URL(path, base).href, sha256: digestOf(bytes), size: bytes.length};
		},
	};
}
export type UpdateServer = Awaited<ReturnType<typeof startUpdateServer>>;

const codeOf: Record<string, BridgeErrorCode> = {
	ECONNREFUSED: 'ERR_CONNECTION_REFUSED',
	ENOTFOUND: 'ERR_NAME_NOT_FOUND',
	EAI_AGAIN: 'ERR_NAME_NOT_FOUND',
	UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'ERR_CERTIFICATE',
	ECONNRESET: 'ERR_CONNECTION_RESET',
};

/** The simplest client that keeps to what `Fetch` promises. */
export const fetchers: {readonly https: Fetch; readonly http: Fetch} = {
	https: (url, options) =>
		fetched(getHttps(url, {ca: authority.certificate, agent: false, signal: options.signal}), url, options.maxSize),
	http: (url, options) => fetched(getHttp(url, {agent: false, signal: options.signal}), url, options.maxSize),
};

async function fetched(request: ReturnType<typeof getHttp>, {href}: URL, maxSize: number): Promise<Buffer> {
	const {promise, resolve, reject} = Promise.withResolvers<IncomingMessage>();
	request.on('response', resolve).on('error', (error: NodeJS.ErrnoException) => {
		const code = codeOf[error.code ?? ''];
		reject(code ? new BridgeError(code, `${href}: ${error.message}`, {cause: error}) : error);
	});
	const response = await promise;
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of response as AsyncIterable<Buffer>) {
		size += chunk.length;
		if (size > maxSize) throw new BridgeError('ERR_TOO_LARGE', `${href} is larger than ${maxSize} bytes`);
		chunks.push(chunk);
	}
	if (response.statusCode === 200) return Buffer.concat(chunks);
	throw new BridgeError('ERR_NOT_FOUND', `${href} was answered with ${response.statusCode}`);
}

export type Setting = {
	readonly pairs?: readonly KeyPair[];
	readonly config?: Record<string, unknown>;
	/** Of a component that ran before. */
	readonly directory?: string;
	readonly runningVersion?: string;
	readonly random?: () => number;
	readonly parts?: Partial<Parameters<typeof createUpdates>[1]>;
};

/** The component with real files, in front of a server, on a clock that the test moves. It is not started. */
export async function openUpdates(t: ExecutionContext, server: Pick<UpdateServer, 'url'>, setting: Setting = {}) {
	const directory = setting.directory ?? (await temporaryDirectory(t));
	const keyFiles = (setting.pairs ?? []).map((pair, index) => {
		const file = join(directory, `keys/${index}.pem`);
		mkdirSync(dirname(file), {recursive: true});
		writeFileSync(file, pemOf(pair));
		return file;
	});
	const config = updatesSchema.parse({url: server.url.href, public_key_file: keyFiles, ...setting.config});
	const clock = {now: noon};
	const notes: Activity[] = [];
	const handedOn: UpdatedDestinations[] = [];
	const updates = createUpdates(config, {
		...stateFiles(directory),
		...fetchers,
		directory,
		runningVersion: setting.runningVersion ?? '0.1.0',
		destinations: destinationUpdateSchema,
		checkRules: text => readRules(text, serviceabilityRuleSchema).faults,
		note: activity => void notes.push(activity),
		onDestinations: update => void handedOn.push(update),
		now: () => clock.now,
		random: setting.random ?? (() => 1),
		...setting.parts,
	});
	t.teardown(() => updates.shutdown());
	return {updates, config, directory, clock, notes, handedOn, words: () => notes.map(({word}) => word)};
}
