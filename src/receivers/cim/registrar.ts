import {readFileSync} from 'node:fs';
import {setTimeout as pause} from 'node:timers/promises';
import {BridgeError, isBridgeError, toError} from '../../errors.ts';
import {createRefusals, type Login, refusedAdvice} from '../../refused-login.ts';
import type {SourceParts, TargetState} from '../../source.ts';
import {createClient} from './client.ts';
import type {CimConfig, CimSystem} from './config.ts';
import {createLeftBehind} from './left-behind.ts';
import {type Ensured, ensureSubscription} from './subscription.ts';
import {createTransport, httpsIsAway} from './transport.ts';

const source = 'cim';
const firstRetryMillis = 30_000;

export type Registration = {readonly system: CimSystem; readonly destination: string};

/** Keeps one subscription at each system: at the start, and then at every check. */
export function createRegistrar(config: CimConfig, parts: SourceParts, agentId: string) {
	const {marks, onTarget, log, now = Date.now, random = Math.random} = parts;
	const refusals = createRefusals(marks, config.refused_pause, now);
	const leftBehind = createLeftBehind(config.systems, parts);
	const ending = new AbortController();
	const turns = createTurns(config.concurrency);
	const authorities = new Map(config.systems.map(system => [system, readAuthority(system)]));
	const fallback = new Set<CimSystem>();
	let working: Promise<unknown> = Promise.resolve();

	async function ensureOver(registration: Registration, secure: boolean): Promise<Ensured> {
		const {system, destination} = registration;
		const transport = createTransport(system, secure, authorities.get(system), config.request_timeout);
		try {
			const login = {username: system.username, password: system.password.reveal()};
			const client = createClient(transport, login, ending.signal);
			const {host, interop_namespace: namespace, subscribe} = system;
			return await ensureSubscription(client, {agentId, host, destination, query: config.query, namespace, subscribe});
		} finally {
			await transport.close();
		}
	}

	/** HTTPS first, at every check; HTTP only where HTTPS is not available and the operator allowed it. */
	async function ensure(registration: Registration): Promise<{readonly ensured: Ensured; readonly secure: boolean}> {
		const {system} = registration;
		try {
			return {ensured: await ensureOver(registration, true), secure: true};
		} catch (error) {
			if (!system.allow_http || !isBridgeError(error, ...httpsIsAway)) throw withAdvice(error, system);
			const ensured = await ensureOver(registration, false).catch(second => {
				throw bothFailed(error, toError(second));
			});
			return {ensured, secure: false};
		}
	}

	const tell = (system: CimSystem, state: TargetState['state'], reason: string) =>
		onTarget({source, target: targetOf(system), state, reason});

	const loginRefused = (system: CimSystem, text: string): void =>
		tell(system, 'stopped', `the login of ${system.username} is refused (${text}): ${refusedAdvice}`);

	async function check(registration: Registration): Promise<boolean> {
		const {system} = registration;
		try {
			if (await refusals.isHeld(loginOf(system))) {
				loginRefused(system, 'before');
				return true;
			}
			const {ensured, secure} = await ensure(registration);
			sayFallback(system, secure);
			await settle(system, ensured);
			return true;
		} catch (error) {
			if (!ending.signal.aborted) tell(system, 'failing', toError(error).message);
			return false;
		}
	}

	async function settle(system: CimSystem, ensured: Ensured): Promise<void> {
		const target = targetOf(system);
		if (ensured.state === 'refused') {
			if (!ensured.isLogin)
				return tell(system, 'stopped', `it takes no further subscription (${ensured.text}): remove one that is not needed`);
			await refusals.refused(loginOf(system));
			return loginRefused(system, ensured.text);
		}
		await refusals.accepted(loginOf(system));
		if (ensured.created.length > 0) log('info', `CIM: ${target} is subscribed to: ${ensured.created.join(', ')} created`);
		if (ensured.removed > 0) log('info', `CIM: ${ensured.removed} left-over(s) of this bridge removed from ${target}`);
		if (ensured.state === 'subscribed') {
			await leftBehind.subscribed(system);
			return tell(system, 'working', '');
		}
		await leftBehind.removed(system);
		const advice = 'it can be taken out of the configuration';
		tell(system, 'absent', `the bridge has no subscription there, as subscribe: false wants it: ${advice}`);
	}

	function sayFallback(system: CimSystem, secure: boolean): void {
		const target = targetOf(system);
		if (secure) {
			if (fallback.delete(system)) log('info', `CIM: ${target} answers over HTTPS again`);
			return;
		}
		if (!fallback.has(system))
			log(
				'warn',
				`CIM: HTTPS is not available at ${target}: the password and the events go over plain HTTP, as allow_http allows`,
			);
		fallback.add(system);
	}

	async function keep(registration: Registration): Promise<void> {
		const {signal} = ending;
		await pause(Math.min(config.check_interval, 10_000) * random() * 0.5, undefined, {signal});
		for (let failures = 0; !signal.aborted; ) {
			const isDone = await turns(() => check(registration));
			failures = isDone ? 0 : failures + 1;
			const wait = isDone
				? config.check_interval
				: Math.min(config.check_interval, firstRetryMillis * 2 ** Math.min(failures - 1, 20));
			await pause(wait * (0.9 + 0.2 * random()), undefined, {signal});
		}
	}

	return {
		async start(registrations: readonly Registration[]) {
			await leftBehind.start();
			working = Promise.allSettled(registrations.map(keep));
		},
		/** One check now, for whoever wants to know. */
		check,
		/** The subscriptions stay: after a restart they are found again. */
		async shutdown() {
			ending.abort();
			await working;
		},
	};
}

const targetOf = ({name, host}: CimSystem): string => name ?? host;

const loginOf = ({host, port, username, password}: CimSystem): Login => ({
	key: `cim/refused/${host}:${port}`,
	username,
	password,
});

function readAuthority({ca_file, host}: CimSystem): string | undefined {
	if (ca_file === undefined) return undefined;
	try {
		return readFileSync(ca_file, 'utf8');
	} catch (cause) {
		throw new BridgeError('ERR_CONFIG', `receivers.cim.systems: ca_file of ${host}: ${toError(cause).message}`, {cause});
	}
}

function withAdvice(error: unknown, {allow_http, http_port}: CimSystem): unknown {
	if (allow_http || !isBridgeError(error, ...httpsIsAway)) return error;
	const advice = `HTTPS is not available, and HTTP on ${http_port} is not tried without allow_http`;
	return new BridgeError(error.code, `${error.message}: ${advice}`, {cause: error});
}

const bothFailed = (first: BridgeError, second: Error): BridgeError =>
	new BridgeError(
		second instanceof BridgeError ? second.code : first.code,
		`over HTTPS: ${first.message}; over HTTP: ${second.message}`,
		{cause: second},
	);

/** So many at the same time; the others wait in line. */
function createTurns(most: number) {
	const waiting: (() => void)[] = [];
	let running = 0;
	return async function turn<T>(run: () => Promise<T>): Promise<T> {
		if (running >= most) await new Promise<void>(resolve => waiting.push(resolve));
		else running++;
		try {
			return await run();
		} finally {
			const next = waiting.shift();
			if (next) next();
			else running--;
		}
	};
}
