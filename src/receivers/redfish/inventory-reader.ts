import {BridgeError, toError} from '../../errors.ts';
import {wordIn} from '../../inventory-words.ts';
import type {Client} from './client.ts';
import {isObject, type Json, linkIn, textIn} from './json.ts';
import {LoginRefused} from './session.ts';

/** What one collection may take. The walk itself goes four resources deep at the most: what is found there is not followed. */
export type InventoryLimits = {
	readonly mostResources: number;
	/** Of one collection. */
	readonly mostMembers: number;
	readonly mostBytes: number;
	readonly mostMillis: number;
};
export const inventoryLimits: InventoryLimits = {
	mostResources: 2000,
	mostMembers: 500,
	mostBytes: 32 * 1024 ** 2,
	mostMillis: 240_000,
};

export type Member = {readonly path: string; readonly resource: Json};
/** What could be read of a collection, and the addresses of what is there and could not. */
export type Members = {readonly found: readonly Member[]; readonly unread: readonly string[]};

/** Reads what it can; what it cannot read it names once, and goes on. */
export type Reader = {
	/** Undefined for what is not there or cannot be read. `link` is a text or an object with `@odata.id`. */
	get(link: unknown): Promise<Json | undefined>;
	/** Of a collection, over all its pages. */
	members(link: unknown): Promise<Members>;
	/** What an array holds, or refers to. `place` is where the array is. */
	each(value: unknown, place: string): Promise<readonly Member[]>;
	faults(): readonly string[];
};

const mostFaults = 50;
const longestPath = 500;
/** A module that answers nothing any more is not asked for the rest. */
const mostSilent = 3;

export const pathIn = (link: unknown): string | undefined => {
	const path = linkIn(link);
	return path === undefined || path.length > longestPath ? undefined : path;
};
/** One key for what is the same resource: modules write a slash at the end or leave it out. */
const keyOf = (path: string): string => path.replace(/\/+$/, '');

const isReference = (listed: unknown): boolean => !isObject(listed) || Object.keys(listed).every(key => key.includes('@odata.'));

/**
`signal` is the caller's: when it is aborted, reading rejects. `late` is that of the limit of time: then reading ends, and what
was read stays. A refused login rejects, too.
*/
export function createReader(client: Client, limits: InventoryLimits, signal: AbortSignal, late: AbortSignal): Reader {
	const {mostResources, mostMembers, mostMillis} = limits;
	const read = new Map<string, Promise<Json | undefined>>();
	const unreadable = new Set<string>();
	const faults = new Set<string>();
	let isOver = false;
	let silent = 0;

	function blame(text: string): void {
		const word = wordIn(text) ?? '';
		if (faults.size < mostFaults) faults.add(word);
		else faults.add('there are more faults than are told');
	}

	function endHere(why: string): undefined {
		if (!isOver) blame(`not everything was read: ${why}`);
		isOver = true;
	}

	function failed(path: string, error: unknown): undefined {
		if (error instanceof LoginRefused || signal.aborted) throw error;
		if (late.aborted) return endHere(`it took more than ${mostMillis / 1000} s`);
		if (client.isSpent()) return endHere(toError(error).message);
		blame(`${path}: ${toError(error).message}`);
		silent = error instanceof BridgeError ? 0 : silent + 1;
		return silent >= mostSilent ? endHere('the module does not answer any more') : undefined;
	}

	async function fetched(path: string): Promise<Json | undefined> {
		signal.throwIfAborted();
		if (read.size >= mostResources) endHere(`it has more than ${mostResources} resources`);
		const unread = client.unread().length;
		try {
			const resource = isOver ? undefined : await client.get(path);
			if (isOver || client.unread().length > unread) unreadable.add(keyOf(path));
			silent = 0;
			return resource;
		} catch (error) {
			unreadable.add(keyOf(path));
			return failed(path, error);
		}
	}

	/** Each resource is read once, whoever refers to it: so nothing goes in circles. */
	async function get(link: unknown): Promise<Json | undefined> {
		const path = pathIn(link);
		if (path === undefined) return undefined;
		const reading = read.get(keyOf(path)) ?? fetched(path);
		read.set(keyOf(path), reading);
		return reading;
	}

	async function memberOf(listed: unknown, place: string, index: number): Promise<Member | undefined> {
		const resource = isReference(listed) ? await get(listed) : (listed as Json);
		return resource && {path: pathIn(resource) ?? pathIn(listed) ?? `${place}/${index}`, resource};
	}

	async function each(value: unknown, place: string): Promise<readonly Member[]> {
		const listed: readonly unknown[] = Array.isArray(value) ? value : [];
		if (listed.length > mostMembers) blame(`${place}: ${listed.length} members, the first ${mostMembers} are read`);
		const found: Member[] = [];
		for (const [index, each] of listed.slice(0, mostMembers).entries()) {
			const member = await memberOf(each, place, index);
			if (member) found.push(member);
		}
		return found;
	}

	async function members(link: unknown): Promise<Members> {
		const found = new Map<string, Member>();
		const unread = new Set<string>();
		const pages = new Set<string>();
		let count = 0;
		for (let next = pathIn(link); next !== undefined && !pages.has(next) && count < mostMembers; ) {
			pages.add(next);
			const page: Json | undefined = await get(next);
			const own: readonly unknown[] = Array.isArray(page?.Members) ? page.Members : [];
			count += own.length;
			for (const member of await each(own, `${next}#/Members`)) found.set(keyOf(member.path), member);
			for (const path of own.flatMap(member => pathIn(member) ?? [])) if (unreadable.has(keyOf(path))) unread.add(path);
			if (unreadable.has(keyOf(next))) unread.add(next);
			next = pathIn(textIn(page?.['Members@odata.nextLink']));
		}
		return {found: [...found.values()].slice(0, mostMembers), unread: [...unread]};
	}

	const unread = () => client.unread().map(text => wordIn(text) ?? '');
	return {get, members, each, faults: () => [...new Set([...faults, ...unread()])].toSorted().slice(0, mostFaults + 1)};
}
