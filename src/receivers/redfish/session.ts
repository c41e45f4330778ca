import type {Dispatcher} from 'undici';
import {BridgeError, toError} from '../../errors.ts';
import type {SourceParts} from '../../source.ts';
import type {RedfishSystem} from './config.ts';
import {isObject, keyOf, linkIn} from './json.ts';

/** The module refused the login: asked again and again, it may lock the account. */
export class LoginRefused extends Error {
	override readonly name = 'LoginRefused';
}

/** What a request carries to prove who asks. */
export type Proof = Readonly<Record<string, string>>;

export type Asked = {
	readonly method?: Dispatcher.HttpMethod;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: string;
};
export type Answered = {readonly statusCode: number; readonly headers: Proof; readonly text: string};
/** One request, without a proof of its own. Rejects when the path leads to another host. */
export type Send = (path: string, asked: Asked) => Promise<Answered>;

export type SessionParts = Pick<SourceParts, 'marks' | 'log' | 'now'>;

/** Who the bridge is to one module. */
export type Session = {
	/** Logs in first, where no session is open. */
	proof(send: Send): Promise<Proof>;
	/** A module refused this proof: whether another one is worth a try. */
	renew(refused: Proof): boolean;
	/** Modules have few places for sessions. */
	logout(send: Send): Promise<void>;
};

const usualSessions = '/redfish/v1/SessionService/Sessions';
/** A module without a free place for a session is asked for one again after this time. */
const basicMillis = 10 * 60_000;
/** What says that this module has no sessions at all. HPE's say 400 to a wrong password: Basic then meets a plain 401. */
const lasting: readonly number[] = [400, 404, 405, 501];

/**
A session is opened once and kept (DSP0266, "Redfish session login authentication"): many modules limit how often they check
a password. Where none can be had, the password goes with each request, unless `login` says `session`. Each purpose has a
session of its own on record: one does not end what the other is using.
*/
export function createSession(
	system: RedfishSystem,
	{marks, log, now = Date.now}: SessionParts,
	purpose: 'session' | 'inventory-session' = 'session',
): Session {
	const mark = `${keyOf(system)}/${purpose}`;
	const basic: Proof = {
		authorization: `Basic ${Buffer.from(`${system.username}:${system.password.reveal()}`).toString('base64')}`,
	};
	let token: Proof | undefined;
	let basicUntil = system.login === 'basic' ? Number.POSITIVE_INFINITY : 0;
	let opening: Promise<Proof> | undefined;
	let refused: LoginRefused | undefined;

	async function open(send: Send): Promise<Proof> {
		const {statusCode, headers, text} = await send(await sessionsOf(send), {
			method: 'POST',
			headers: {'content-type': 'application/json'},
			body: JSON.stringify({UserName: system.username, Password: system.password.reveal()}),
		});
		if (statusCode === 401 || statusCode === 403) {
			refused = new LoginRefused(`the login was refused (${statusCode} for a session)`);
			throw refused;
		}
		const given = headers['x-auth-token'];
		if (statusCode < 200 || statusCode > 299 || given === undefined) return withoutSession(statusCode);
		token = {'x-auth-token': given};
		await keepPlace(send, token, headers.location ?? linkIn(parsed(text)));
		return token;
	}

	/** The place is on record, so that a session that a killed bridge left open is ended by the next one. */
	async function keepPlace(send: Send, proof: Proof, place: string | undefined): Promise<void> {
		const former = await marks.read(mark);
		if (former && former !== place) await end(send, proof, former);
		if (place !== former) await marks.write(mark, place ?? '');
	}

	function withoutSession(statusCode: number): Proof {
		const reason = `the module opens no session (${statusCode})`;
		if (system.login === 'session') throw new BridgeError('ERR_NOT_READY', `${reason}, and login is session`);
		const isForGood = lasting.includes(statusCode) || statusCode < 300;
		log('info', `Redfish ${system.url.host}: ${reason}: the password goes with each request${isForGood ? '' : ' for now'}`);
		basicUntil = isForGood ? Number.POSITIVE_INFINITY : now() + basicMillis;
		return basic;
	}

	return {
		async proof(send) {
			if (refused) throw refused; // Nobody else tries the same.
			if (token) return token;
			if (now() < basicUntil) return basic;
			opening ??= open(send).finally(() => {
				opening = undefined;
			});
			return opening;
		},
		renew(refused) {
			if (refused === basic) return false;
			if (refused === token) token = undefined;
			return true;
		},
		async logout(send) {
			const proof = token;
			token = undefined;
			const place = proof && (await marks.read(mark));
			if (!proof || !place) return;
			await end(send, proof, place);
			await marks.write(mark, '');
		},
	};
}

/** The root is shown to everybody, and says where sessions are opened. */
async function sessionsOf(send: Send): Promise<string> {
	const {statusCode, text} = await send('/redfish/v1/', {});
	const root = statusCode === 200 ? parsed(text) : {};
	const links = isObject(root.Links) ? root.Links : {};
	return linkIn(links.Sessions) ?? usualSessions;
}

/** A session that cannot be ended ends by itself after a while. */
const end = (send: Send, headers: Proof, place: string): Promise<unknown> =>
	send(place, {method: 'DELETE', headers}).catch(toError);

function parsed(text: string): Readonly<Record<string, unknown>> {
	try {
		const value: unknown = JSON.parse(text);
		return isObject(value) ? value : {};
	} catch {
		return {};
	}
}
