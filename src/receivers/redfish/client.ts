import {BridgeError, toError} from '../../errors.ts';
import type {RedfishReceiverConfig, RedfishSystem} from './config.ts';
import {isObject, type Json, linkIn, textIn} from './json.ts';
import {limitedTo} from './limit.ts';
import {type Asked, LoginRefused, type Send, type Session} from './session.ts';
import {type Demand, firstOf, openTransport, type Reply, read} from './transport.ts';

const mostMembers = 2000;

/** Undefined for what is not there. Nothing that a module says leads to another host. */
export type Client = {
	get(path: string): Promise<Json | undefined>;
	members(path: string): Promise<readonly Json[]>;
	collection(path: string, wanted?: Wanted): Promise<Collection>;
	/** Creates a member of a collection, and answers where it is. */
	create(path: string, member: Json): Promise<string | undefined>;
	remove(path: string): Promise<void>;
	/** What a stream of server-sent events brings, until it ends. */
	stream(path: string, headers: Readonly<Record<string, string>>): Promise<AsyncIterable<Buffer>>;
	/** What the module has and did not let be read, each with its status: forbidden to this user, or broken. */
	unread(): readonly string[];
	/** The limit of all requests or of all answers is reached: nothing more can be read. */
	isSpent(): boolean;
	logout(): Promise<void>;
	close(): Promise<void>;
};

export type Wanted = {
	readonly most?: number;
	/** Of members of which a page shows no more than the address: beyond so many only its first and its last ones are fetched. */
	readonly mostSingly?: number;
	/** Asked after each page, where the module says how many members there are: whether the others are not needed. */
	readonly isEnough?: (found: readonly Json[], count: number) => boolean;
	/** It costs nothing when it cannot be read. */
	readonly isOptional?: boolean;
};
export type Collection = {
	readonly members: readonly Json[];
	/** As the module says. */
	readonly count: number | undefined;
	readonly extent: 'whole' | 'enough' | 'cut';
};

type Limits = Pick<RedfishReceiverConfig, 'timeout' | 'max_response_size' | 'max_requests' | 'stream_idle'> & {
	/** Of all answers together, in bytes. */
	readonly max_total_size?: number;
};
export type ClientParts = {readonly session: Session; readonly limits: Limits; readonly signal: AbortSignal};

export async function openClient(system: RedfishSystem, {session, limits, signal}: ClientParts): Promise<Client> {
	const {timeout, max_response_size, max_requests, max_total_size = Number.POSITIVE_INFINITY} = limits;
	const transport = await openTransport(system, timeout);
	let requests = 0;
	let bytes = 0;
	const unread = new Set<string>();

	async function askOnce(path: string, {headers, ...demand}: Asked & Partial<Demand>): Promise<Reply> {
		requests += 1;
		if (requests > max_requests) throw new BridgeError('ERR_TOO_LARGE', `one look took more than max_requests (${max_requests})`);
		const limit = limitedTo(timeout, signal);
		try {
			const whole = {accept: 'application/json', 'odata-version': '4.0', ...headers};
			const reply = await transport.request(path, {signal: limit.signal, ...demand, headers: whole});
			reply.body.once('close', limit.release);
			return reply;
		} catch (error) {
			limit.release();
			throw error;
		}
	}

	const send: Send = async (path, asked) => {
		const {statusCode, headers, body} = await askOnce(path, asked);
		return {statusCode, headers: firstOf(headers), text: await read(body, max_response_size)};
	};

	/** A session may have ended by itself: then a new one is opened, once. */
	async function ask(path: string, demand: Asked & Partial<Demand> = {}): Promise<Reply> {
		const proof = await session.proof(send);
		const reply = await askOnce(path, {...demand, headers: {...proof, ...demand.headers}});
		if (reply.statusCode !== 401) return reply;
		await reply.body.dump();
		const again = session.renew(proof)
			? await askOnce(path, {...demand, headers: {...(await session.proof(send)), ...demand.headers}})
			: reply;
		if (again.statusCode !== 401) return again;
		if (again !== reply) await again.body.dump();
		throw new LoginRefused(`the login was refused (401 for ${reply.url.pathname.slice(0, 200)})`);
	}

	const failed = (url: URL, statusCode: number) =>
		new BridgeError('ERR_MALFORMED', `${url.pathname.slice(0, 200)} was answered with ${statusCode}`);

	async function readWithin(body: AsyncIterable<Buffer>): Promise<string> {
		const text = await read(body, max_response_size);
		bytes += Buffer.byteLength(text);
		if (bytes > max_total_size) throw new BridgeError('ERR_TOO_LARGE', `one look read more than ${max_total_size} bytes`);
		return text;
	}

	async function get(path: string, isOptional = false): Promise<Json | undefined> {
		const {statusCode, body, url} = await ask(path);
		const text = await readWithin(body);
		if (statusCode === 200) return parsed(text, url);
		// One resource that a module cannot show must not cost the others.
		if (statusCode !== 404 && !isOptional) unread.add(`${url.pathname.slice(0, 200)} (${statusCode})`);
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

	/** A member is fetched when the collection holds no more than its address. */
	async function wholeOf(listed: readonly unknown[]): Promise<Json[]> {
		const found: Json[] = [];
		for (const member of listed) {
			const link = linkIn(member);
			const whole = isWhole(member) ? (member as Json) : link === undefined ? undefined : await get(link);
			if (whole) found.push(whole);
		}
		return found;
	}

	async function collection(
		path: string,
		{most = mostMembers, mostSingly = mostMembers, isEnough, isOptional = false}: Wanted = {},
	): Promise<Collection> {
		const found: Json[] = [];
		const seen = new Set<string>();
		let count: number | undefined;
		for (let next: string | undefined = path; next !== undefined && !seen.has(next); ) {
			seen.add(next);
			const page: Json | undefined = await get(next, isOptional);
			const listed: readonly unknown[] = Array.isArray(page?.Members) ? page.Members : [];
			const room = most - found.length;
			const chosen = bothEnds(listed, listed.every(isWhole) ? room : Math.min(room, mostSingly));
			found.push(...(await wholeOf(chosen)));
			const total = page?.['Members@odata.count'];
			count ??= typeof total === 'number' ? total : undefined;
			if (count !== undefined && isEnough?.(found, count)) return {members: found, count, extent: 'enough'};
			next = textIn(page?.['Members@odata.nextLink']);
			if (listed.length > chosen.length || (listed.length === room && next !== undefined))
				return {members: found, count, extent: 'cut'};
		}
		return {members: found, count, extent: 'whole'};
	}

	const members = async (path: string): Promise<readonly Json[]> => (await collection(path)).members;
	const logout = () => session.logout(send);
	const isSpent = () => requests > max_requests || bytes > max_total_size;
	const {close} = transport;
	return {get, members, collection, create, remove, stream, unread: () => [...unread], isSpent, logout, close};
}

const isWhole = (member: unknown): boolean => isObject(member) && Object.keys(member).length > 1;

/** Of more members than are wanted the first and the last ones: either may be the newest. */
function bothEnds(listed: readonly unknown[], most: number): readonly unknown[] {
	if (listed.length <= most) return listed;
	const half = Math.floor(most / 2);
	return [...listed.slice(0, most - half), ...listed.slice(listed.length - half)];
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
