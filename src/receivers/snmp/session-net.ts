import {isIPv6} from 'node:net';
import snmp, {type Session as NetSession} from 'net-snmp';
import type {SnmpUser} from './config.ts';
import {errorStatuses, isAbsent, type Session, SessionError, type SessionOptions} from './session.ts';
import type {Varbind} from './trap.ts';
import {forgetKeys, toUser} from './user.ts';

type NetVarbind = {readonly oid: string; readonly type: number; readonly value: unknown};
type Callback = (error: Error | null, varbinds?: readonly (NetVarbind | readonly NetVarbind[])[]) => void;

const optionsOf = ({address, port, timeoutMillis, retries}: SessionOptions) => ({
	port,
	timeout: timeoutMillis,
	retries,
	transport: isIPv6(address) ? ('udp6' as const) : ('udp4' as const),
});

/** SNMPv1 through net-snmp: it has no GetBulkRequest, and one object that is not there spoils the whole answer. */
export function createV1Session(community: string, options: SessionOptions): Session {
	const session = snmp.createSession(options.address, community, {...optionsOf(options), version: snmp.Version1});
	const get = (oids: readonly string[]) => ask(session, done => session.get([...oids], done as never));
	const getNext = (oids: readonly string[]) => ask(session, done => session.getNext([...oids], done as never));
	return {get: each(get), next: oids => each(getNext)(oids), close: () => session.close()};
}

/** Where one is not there, they are asked for one by one. */
const each = (request: (oids: readonly string[]) => Promise<readonly Varbind[]>) =>
	async function askEach(oids: readonly string[]): Promise<readonly Varbind[]> {
		try {
			return await request(oids);
		} catch (error) {
			if (!(error instanceof SessionError) || error.fault !== 'no_such_name') throw error;
			const [oid] = oids;
			if (oids.length === 1 && oid !== undefined) return [{oid, value: null}];
		}
		const found: Varbind[] = [];
		for (const oid of oids) found.push(...(await askEach([oid])));
		return found;
	};

/** SNMPv3 through net-snmp. A conversation begins with the engine of the agent, so that one that was restarted is known anew. */
export function createV3Session(user: SnmpUser, options: SessionOptions): Session {
	forgetKeys();
	const session = snmp.createV3Session(options.address, toUser(user), {...optionsOf(options), version: snmp.Version3});
	return {
		get: oids => ask(session, done => session.get([...oids], done as never)),
		next: (oids, repetitions) => ask(session, done => session.getBulk([...oids], 0, repetitions, done as never)),
		close: () => session.close(),
	};
}

async function ask(session: NetSession, request: (done: Callback) => void): Promise<readonly Varbind[]> {
	const answer = Promise.withResolvers<readonly Varbind[]>();
	const onError = (error: Error) => answer.reject(new SessionError('failed', 'the agent sent what is no SNMP', {cause: error}));
	session.on('error', onError);
	try {
		request((error, varbinds = []) => (error ? answer.reject(faultOf(error)) : answer.resolve(inRows(varbinds))));
		return await answer.promise;
	} finally {
		(session as unknown as NodeJS.EventEmitter).off('error', onError);
	}
}

/** The library sorts what it gets by columns; what is wanted is row by row, as it came. Only the last row may be cut off. */
function inRows(varbinds: readonly (NetVarbind | readonly NetVarbind[])[]): readonly Varbind[] {
	const columns = varbinds.map(one => (Array.isArray(one) ? (one as readonly NetVarbind[]) : [one as NetVarbind]));
	const longest = Math.max(0, ...columns.map(column => column.length));
	const rows = Array.from({length: longest}, (_, row) => columns.map(column => column[row]));
	return rows.flat().flatMap(varbind => (varbind ? [toVarbind(varbind)] : []));
}

function toVarbind({oid, type, value}: NetVarbind): Varbind {
	return {oid, value: isAbsent(type) ? null : (value as Varbind['value'])};
}

type LibraryError = Error & {readonly code?: number; readonly status?: number};

/** The library's messages may hold digests: only their kind is told. */
function faultOf(error: Error): SessionError {
	const {name, code, status} = error as LibraryError;
	if (name === 'RequestTimedOutError') return new SessionError('timeout', 'no answer', {cause: error});
	const {EAuthFailure, ECouldNotDecrypt} = snmp.ResponseInvalidCode;
	const refusal = code === EAuthFailure || code === ECouldNotDecrypt ? refusalIn(error.message) : undefined;
	if (refusal) return new SessionError('credentials', refusal);
	if (status !== undefined) return new SessionError(errorStatuses[status] ?? 'failed', `the agent answered with error ${status}`);
	return new SessionError('failed', error.message.replaceAll(/\b[0-9a-f]{16,}\b/gi, '…'), {cause: error});
}

/** What the agent reports (RFC 3414, section 5) when the user is at fault, in words. That clocks differ is no fault of a password. */
const reports: readonly (readonly [RegExp, string])[] = [
	[/unknown user/i, 'the agent does not know the user'],
	[/digest/i, 'the password or the protocol for authentication is wrong'],
	[/decrypt/i, 'the password or the protocol for privacy is wrong'],
	[/security level/i, 'the agent does not allow the user this level of security'],
];
const refusalIn = (message: string): string | undefined => reports.find(([expression]) => expression.test(message))?.[1];
