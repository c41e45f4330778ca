import {randomInt} from 'node:crypto';
import {createSocket, type RemoteInfo, type Socket} from 'node:dgram';
import {isIPv6} from 'node:net';
import {encode, type NativePdu, Packet, parse} from 'snmp-native';
import {errorStatuses, isAbsent, type Session, SessionError, type SessionOptions} from './session.ts';
import type {Varbind} from './trap.ts';

type Waiting = {
	readonly answered: (pdu: NativePdu) => void;
	readonly failed: (error: Error) => void;
};
type Request = {readonly datagram: Buffer; readonly id: number};

const [getRequest, getNextRequest, getResponse, getBulkRequest] = [0, 1, 2, 5];
const mostIds = 2 ** 31 - 1;
const keyOf = (address: string, port: number, id: number): string => `${address}/${port}/${id}`;

/**
SNMPv2c with snmp-native's encoding. All hosts share a socket: a thousand sockets of a thousand hosts would cost more than the
asking. An answer counts when it comes from the host that was asked, and its number cannot be guessed.
*/
export function createV2cTransport(random: (most: number) => number = randomInt) {
	const waiting = new Map<string, Waiting>();
	const sockets = new Map<'udp4' | 'udp6', Socket>();

	function socketFor(address: string): Socket {
		const type = isIPv6(address) ? 'udp6' : 'udp4';
		const open = sockets.get(type);
		if (open) return open;
		const socket = createSocket({type, recvBufferSize: 4 * 1024 ** 2});
		socket.on('message', onMessage);
		socket.on('error', () => {}); // Whoever waits for an answer hears that there is none.
		sockets.set(type, socket);
		return socket;
	}

	function onMessage(datagram: Buffer, {address, port}: RemoteInfo): void {
		try {
			const {pdu} = parse(datagram);
			if (pdu.type === getResponse) waiting.get(keyOf(address, port, pdu.reqid))?.answered(pdu);
		} catch {
			// No answer, then: the request is sent again, or given up.
		}
	}

	async function ask({datagram, id}: Request, {address, port, timeoutMillis, retries}: SessionOptions): Promise<NativePdu> {
		const key = keyOf(address, port, id);
		const answer = Promise.withResolvers<NativePdu>();
		let left = retries;
		let timer: NodeJS.Timeout | undefined;
		const transmit = () => {
			timer = setTimeout(() => (left-- > 0 ? transmit() : answer.reject(unanswered(timeoutMillis))), timeoutMillis);
			socketFor(address).send(datagram, port, address, error => {
				if (error) answer.reject(new SessionError('failed', error.message, {cause: error}));
			});
		};
		waiting.set(key, {answered: answer.resolve, failed: answer.reject});
		try {
			transmit();
			return await answer.promise;
		} finally {
			clearTimeout(timer);
			waiting.delete(key);
		}
	}

	function session(community: string, options: SessionOptions): Session {
		async function request(type: number, oids: readonly string[], repetitions: number): Promise<readonly Varbind[]> {
			const packet = new Packet();
			const id = random(mostIds);
			packet.community = community;
			const varbinds = oids.map(oid => ({oid: oid.split('.').map(Number), type: 5, value: null}));
			// In a GetBulkRequest the fields of the error tell how many of the OIDs are asked for once, and how often the others are.
			packet.pdu = {type, reqid: id, error: 0, errorIndex: repetitions, varbinds};
			const pdu = await ask({datagram: encode(packet), id}, options);
			if (pdu.error !== 0)
				throw new SessionError(errorStatuses[pdu.error] ?? 'failed', `the agent answered with error ${pdu.error}`);
			return pdu.varbinds.map(toVarbind);
		}
		return {
			get: oids => request(getRequest, oids, 0),
			next: (oids, repetitions) =>
				repetitions > 1 ? request(getBulkRequest, oids, repetitions) : request(getNextRequest, oids, 0),
			close() {},
		};
	}

	return {
		session,
		close(): void {
			for (const {failed} of waiting.values()) failed(new SessionError('failed', 'the bridge ends'));
			for (const socket of sockets.values()) socket.close();
			sockets.clear();
		},
	};
}
export type V2cTransport = ReturnType<typeof createV2cTransport>;

const unanswered = (millis: number) => new SessionError('timeout', `no answer within ${millis} ms`);

const octetString = 4;
const opaque = 0x44;
const ipAddress = 0x40;

function toVarbind({oid, type, value, valueRaw}: NativePdu['varbinds'][number]): Varbind {
	const name = oid.join('.');
	if (isAbsent(type) || value === null || value === undefined) return {oid: name, value: null};
	if (type === octetString || type === opaque) return {oid: name, value: valueRaw ?? null};
	if (type === ipAddress) return {oid: name, value: valueRaw ? [...valueRaw].join('.') : null};
	if (Array.isArray(value)) return {oid: name, value: value.join('.')};
	return {oid: name, value: typeof value === 'number' ? value : String(value)};
}
