import {EventEmitter} from 'node:events';
import snmp from 'net-snmp';
import {type Header, readHeader} from './ber.ts';
import type {TrapsConfig} from './config.ts';
import {createTimeWindows} from './time-window.ts';
import {type Pdu, type Trap, toTrap} from './trap.ts';
import {forgetKeys, toUser} from './user.ts';

/** Why a datagram is not taken. */
export type Refusal =
	| 'malformed'
	| 'client_not_allowed'
	| 'unknown_community'
	| 'unknown_user'
	| 'not_authenticated'
	| 'engine_not_allowed'
	| 'not_in_time_window'
	| 'too_many_engines';

/**
What a datagram is. A notification is to be answered only when it is on disk; a report, such as one that tells this engine's
id to whoever asks for it, at once.
*/
export type Decoded =
	| {readonly kind: 'notification'; readonly trap: Trap; readonly answer: Buffer | undefined}
	| {readonly kind: 'report'; readonly answer: Buffer}
	| {readonly kind: 'refused'; readonly reason: Refusal; readonly answer?: Buffer | undefined};

type Data = {readonly pdu: Pdu & {readonly user?: string; readonly community?: string}};
type Seen = {data: Data | undefined; answer: Buffer | undefined; failed: boolean};

const getRequest = 0xa0;

/**
net-snmp knows the versions and their cryptography, but answers an inform before anybody could keep it. So it is given a
socket that is none: what it is handed it decodes at once, and what it would send comes back here.
*/
function createLibraryReceiver(config: TrapsConfig, engineId: string) {
	const socket = Object.assign(new EventEmitter(), {
		bind() {},
		close() {},
		send(buffer: Buffer, start: number, length: number) {
			seen.answer = buffer.subarray(start, start + length);
		},
	});
	const options = {dgramModule: {createSocket: () => socket}, engineID: engineId, includeAuthentication: true};
	const receiver = snmp.createReceiver(
		options as object,
		((error: Error | null, data: Data) => {
			if (error) seen.failed = true;
			else seen.data = data;
		}) as never,
	);
	for (const community of config.communities) receiver.getAuthorizer().addCommunity(community.reveal());
	for (const user of config.users) receiver.getAuthorizer().addUser(toUser(user));
	let seen: Seen = {data: undefined, answer: undefined, failed: false};
	return function receive(datagram: Buffer): Seen {
		seen = {data: undefined, answer: undefined, failed: false};
		try {
			socket.emit('message', datagram, {address: '', port: 0, family: 'IPv4', size: datagram.length});
		} catch {
			seen.failed = true;
		}
		return seen;
	};
}

/** Takes datagrams apart. `engineId` is this receiver's own, in hexadecimal digits: senders of informs keep it. */
export function createDecode(config: TrapsConfig, engineId: string, now: () => number, elapsedMillis?: () => number) {
	const receive = createLibraryReceiver(config, engineId);
	const users = new Map(config.users.map(user => [user.name, user]));
	const admitEngine = createEngines(now);
	const isTimely = createTimeWindows(elapsedMillis);

	/** Before any work is spent on it. */
	function refusalOf(header: Header): Refusal | undefined {
		if (header.version !== 3) return undefined;
		const user = users.get(header.user);
		if (!user) return undefined; // The library tells the sender, and takes nothing from it.
		const isAllowed = user.engine_id === undefined || [user.engine_id, engineId, ''].includes(header.engineId);
		if (!isAllowed) return 'engine_not_allowed';
		return !header.authenticated || admitEngine(header.engineId) ? undefined : 'too_many_engines';
	}

	/** Of an inform this receiver's own engine is the measure, and what is repeated is the same event. */
	function isLate(header: Extract<Header, {version: 3}>): boolean {
		const isOfSender = header.authenticated && header.engineId !== engineId && header.engineId !== '';
		return isOfSender && users.get(header.user)?.check_time !== false && !isTimely(header);
	}

	return function decode(datagram: Buffer, sender: string): Decoded {
		const header = readHeader(datagram);
		const refusal = header ? refusalOf(header) : 'malformed';
		if (!header || refusal) return {kind: 'refused', reason: refusal ?? 'malformed'};
		const {data, answer, failed} = receive(datagram);
		if (header.version === 3) forgetKeys();
		if (answer && !data && !failed && isDiscovery(header)) return {kind: 'report', answer};
		if (failed || !data) return {kind: 'refused', reason: whyFailed(header), answer};
		// The library takes notifications of version 3 that name no user for authorized.
		if (header.version === 3 && !users.has(data.pdu.user ?? '')) return {kind: 'refused', reason: 'unknown_user'};
		if (header.version === 3 && isLate(header)) return {kind: 'refused', reason: 'not_in_time_window'};
		const trap = data.pdu.type === getRequest ? undefined : toTrap(data.pdu, header.version, sender);
		return trap ? {kind: 'notification', trap, answer} : {kind: 'refused', reason: 'malformed'};
	};

	function whyFailed(header: Header): Refusal {
		if (header.version !== 3) return 'unknown_community';
		return users.has(header.user) ? 'not_authenticated' : 'unknown_user';
	}
}

const isDiscovery = (header: Header): boolean => header.version === 3 && header.user === '' && !header.authenticated;

const burst = 2000;
const perSecond = 50;
const mostEngines = 100_000;

/** A password is turned into an engine's key by a megabyte of digests: engines that are made up would cost all the time there is. */
function createEngines(now: () => number) {
	const known = new Set<string>();
	let left = burst;
	let last = now();
	return function admit(engineId: string): boolean {
		if (known.has(engineId)) return true;
		left = Math.min(burst, left + (Math.max(0, now() - last) / 1000) * perSecond);
		last = now();
		if (left < 1) return false;
		left--;
		if (known.size >= mostEngines) known.clear();
		known.add(engineId);
		return true;
	};
}
