import {readFile} from 'node:fs/promises';
import {Agent, type Dispatcher, request} from 'undici';
import {BridgeError, toError} from '../../errors.ts';
import type {RedfishReceiverConfig, RedfishSystem} from './config.ts';

export type Json = {readonly [key: string]: unknown};
export const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
export const textIn = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
/** Where a reference leads: modules write it as a text or as an object. */
export const linkIn = (value: unknown): string | undefined => textIn(isObject(value) ? value['@odata.id'] : value);

/** The module refused the login: asked again and again, it may lock the account. */
export class LoginRefused extends Error {
	override readonly name = 'LoginRefused';
}

const mostMembers = 2000;

/** Undefined for what is not there. Nothing that a module says leads to another host. */
export type Client = {
	get(path: string): Promise<Json | undefined>;
	members(path: string): Promise<readonly Json[]>;
	/** Creates a member of a collection, and answers where it is. */
	create(path: string, member: Json): Promise<string | undefined>;
	remove(path: string): Promise<void>;
	/** What a stream of server-sent events brings, until it ends. */
	stream(path: string, headers: Readonly<Record<string, string>>): Promise<AsyncIterable<Buffer>>;
	/** What the module has and did not let be read, each with its status: forbidden to this user, or broken. */
	unread(): readonly string[];
	close(): Promise<void>;
};

export async function openClient(system: RedfishSystem, limits: RedfishReceiverConfig, signal: AbortSignal): Promise<Client> {
	const ca = system.ca_file === undefined ? undefined : await readFile(system.ca_file);
	const {timeout, max_response_size, max_requests} = limits;
	const agent = new Agent({connections: 2, headersTimeout: timeout, bodyTimeout: timeout, connect: {...(ca && {ca}), timeout}});
	const authorization = `Basic ${Buffer.from(`${system.username}:${system.password.reveal()}`).toString('base64')}`;
	let requests = 0;

	const unread = new Set<string>();

	/** Nothing leads to another host, whatever the module says. */
	async function ask(path: string, options: Partial<Dispatcher.RequestOptions> & {headers?: Record<string, string>} = {}) {
		const url = URL.canParse(path, system.url.href) ? new URL(path, system.url) : undefined;
		if (url?.origin !== system.url.origin)
			throw new BridgeError('ERR_MALFORMED', 'a reference leads to another host: not followed');
		requests += 1;
		if (requests > max_requests) throw new BridgeError('ERR_TOO_LARGE', `one look took more than max_requests (${max_requests})`);
		const {headers, ...rest} = options;
		const answer = await request(url, {
			dispatcher: agent,
			signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
			...rest,
			headers: {authorization, accept: 'application/json', 'odata-version': '4.0', ...headers},
		});
		if (answer.statusCode === 401) {
			await answer.body.dump();
			throw new LoginRefused(`the login was refused (401 for ${url.pathname.slice(0, 200)})`);
		}
		return {...answer, url};
	}

	const failed = (url: URL, statusCode: number) =>
		new BridgeError('ERR_MALFORMED', `${url.pathname.slice(0, 200)} was answered with ${statusCode}`);

	async function get(path: string): Promise<Json | undefined> {
		const {statusCode, body, url} = await ask(path);
		const text = await read(body, max_response_size);
		if (statusCode === 200) return parsed(text, url);
		// One resource that a module cannot show must not cost the others.
		if (statusCode !== 404) unread.add(`${url.pathname.slice(0, 200)} (${statusCode})`);
		return undefined;
	}

	async function create(path: string, member: Json): Promise<string | undefined> {
		const content = {'content-type': 'application/json'};
		const {statusCode, headers, body, url} = await ask(path, {method: 'POST', body: JSON.stringify(member), headers: content});
		const text = await read(body, max_response_size);
		if (statusCode < 200 || statusCode > 299) throw failed(url, statusCode);
		return textIn(headers.location) ?? (text === '' ? undefined : linkIn(parsed(text, url)));
	}

	async function remove(path: string): Promise<void> {
		const {statusCode, body, url} = await ask(path, {method: 'DELETE'});
		await body.dump();
		if (statusCode !== 404 && (statusCode < 200 || statusCode > 299)) throw failed(url, statusCode);
	}

	async function stream(path: string, extra: Readonly<Record<string, string>>): Promise<AsyncIterable<Buffer>> {
		const headers = {accept: 'text/event-stream', ...extra};
		const {statusCode, headers: given, body, url} = await ask(path, {headers, signal, bodyTimeout: limits.stream_idle});
		const isStream = statusCode === 200 && /^text\/event-stream\b/i.test(String(given['content-type']));
		if (isStream) return body;
		await body.dump();
		throw failed(url, statusCode);
	}

	/** Of all pages; a member is fetched when the collection holds no more than its address. */
	async function members(path: string): Promise<readonly Json[]> {
		const found: Json[] = [];
		const seen = new Set<string>();
		for (let next: string | undefined = path; next !== undefined && !seen.has(next) && found.length < mostMembers; ) {
			seen.add(next);
			const page: Json | undefined = await get(next);
			const listed: readonly unknown[] = Array.isArray(page?.Members) ? page.Members : [];
			for (const member of listed.slice(0, mostMembers - found.length)) {
				const link = linkIn(member);
				const isWhole = isObject(member) && Object.keys(member).length > 1;
				const whole = isWhole ? member : link === undefined ? undefined : await get(link);
				if (whole) found.push(whole);
			}
			next = textIn(page?.['Members@odata.nextLink']);
		}
		return found;
	}
	return {get, members, create, remove, stream, unread: () => [...unread], close: () => agent.destroy()};
}

async function read(body: AsyncIterable<Buffer>, limit: number): Promise<string> {
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of body) {
		size += chunk.length;
		if (size > limit) throw new BridgeError('ERR_TOO_LARGE', `an answer is larger than max_response_size (${limit} bytes)`);
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string, url: URL): Json {
	try {
		const value: unknown = JSON.parse(text);
		if (isObject(value)) return value;
	} catch (error) {
		throw new BridgeError('ERR_MALFORMED', `${url.pathname.slice(0, 200)} is no JSON: ${toError(error).name}`);
	}
	throw new BridgeError('ERR_MALFORMED', `${url.pathname.slice(0, 200)} is no JSON object`);
}
