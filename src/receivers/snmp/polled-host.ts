import type {Login} from '../../refused-login.ts';
import {Secret} from '../../secret.ts';
import type {PolledHost, SnmpUser} from './config.ts';
import {type Session, SessionError, type SessionOptions} from './session.ts';
import {createV1Session, createV3Session} from './session-net.ts';
import type {V2cTransport} from './session-v2c.ts';

/** Under which the marks of a host are kept. */
export const keyOfHost = ({host, port}: PolledHost): string => `snmp/host/${host.toLowerCase()}:${port}`;

export const targetOf = ({host, port}: PolledHost): string => (port === 161 ? host : `${host}:${port}`);

export const isOf = (error: unknown, fault: SessionError['fault']): boolean =>
	error instanceof SessionError && error.fault === fault;

/** All that makes up the user is the password of it: what is changed is another login. */
export function loginOf(key: string, {name, auth_protocol, auth_password, priv_protocol, priv_password}: SnmpUser): Login {
	const words = [auth_protocol, auth_password?.reveal() ?? '', priv_protocol, priv_password?.reveal() ?? ''];
	return {key: `${key}/refused`, username: name, password: new Secret(JSON.stringify(words))};
}

export function openSession(host: PolledHost, options: SessionOptions, transport: V2cTransport): Session {
	const community = host.community?.reveal() ?? '';
	if (host.version === '3' && host.user) return createV3Session(host.user, options);
	return host.version === '1' ? createV1Session(community, options) : transport.session(community, options);
}

/** An agent that answers each request at the last moment does not hold a place for ever. */
export function withDeadline(session: Session, deadline: number, now: () => number): Session {
	const check = () => {
		if (now() > deadline) throw new SessionError('timeout', 'it answers too slowly to be read within its time');
	};
	return {
		async get(oids) {
			check();
			return session.get(oids);
		},
		async next(oids, repetitions) {
			check();
			return session.next(oids, repetitions);
		},
		close: () => session.close(),
	};
}
