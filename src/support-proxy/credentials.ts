import {hash, timingSafeEqual} from 'node:crypto';
import {clientKey} from './addresses.ts';
import type {SupportProxyConfig} from './config.ts';
import type {Refusal} from './refusal.ts';

const digest = (bytes: Buffer): Buffer => hash('sha256', bytes, 'buffer');

/**
The user whose name and password a Proxy-Authorization header carries. Digests of all users are compared, so that neither
whose name is right nor how much of a password is shows in the time it takes.
*/
export function createBasicCheck(users: SupportProxyConfig['basic_auth']) {
	const expected = users.map(({username, password}) => ({
		username,
		digest: digest(Buffer.from(`${username}:${password.reveal()}`)),
	}));
	return function userOf(authorization: string): string | undefined {
		const encoded = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(authorization)?.[1] ?? '';
		const presented = digest(Buffer.from(encoded, 'base64'));
		return expected.filter(user => timingSafeEqual(user.digest, presented))[0]?.username;
	};
}

const mostGuesses = 10;
const periodMillis = 60_000;
/** So many clients are remembered; who failed longest ago is forgotten first. */
const maxClients = 10_000;

const wait: Refusal = {
	decision: 'rate',
	status: 429,
	text: `After ${mostGuesses} wrong passwords within a minute this address waits for a minute. Correct the user name and password.`,
	headers: {'Retry-After': '60'},
};

const unauthenticated = (text: string): Refusal => ({
	decision: 'unauthenticated',
	status: 407,
	text,
	headers: {'Proxy-Authenticate': 'Basic realm="callhome support proxy", charset="UTF-8"'},
});

export type Identity = {readonly user?: string; readonly refusal?: Refusal};

/** Who asks. It comes before all else about a request. Without configured users nobody is asked. */
export function createAuthentication(users: SupportProxyConfig['basic_auth'], now: () => number) {
	const userOf = createBasicCheck(users);
	const failures = new Map<string, {readonly since: number; readonly count: number}>();

	function fail(key: string, at: number): void {
		const last = failures.get(key);
		const goesOn = last !== undefined && Math.abs(at - last.since) < periodMillis;
		const count = goesOn ? last.count + 1 : 1;
		failures.delete(key);
		failures.set(key, {since: goesOn && count < mostGuesses ? last.since : at, count});
		if (failures.size > maxClients) for (const oldest of failures.keys().take(1)) failures.delete(oldest);
	}

	return function identify(address: string, authorization: string | undefined): Identity {
		if (users.length === 0) return {};
		const [key, at] = [clientKey(address), now()];
		const last = failures.get(key);
		// Also the right password has to wait: whoever guesses would else learn which one it is.
		if (last && last.count >= mostGuesses && Math.abs(at - last.since) < periodMillis) return {refusal: wait};
		if (authorization === undefined)
			return {refusal: unauthenticated('This proxy asks for a user name and a password (Basic authentication).')};
		const user = userOf(authorization);
		if (user !== undefined) return {user};
		fail(key, at);
		return {refusal: unauthenticated('The user name and password are not among support_proxy.basic_auth of the bridge.')};
	};
}
