import {BridgeError, type BridgeErrorCode, isBridgeError, toError} from '../../errors.ts';
import type {Collected, InventorySection, InventorySource} from '../../inventory.ts';
import {createRefusals, type Login, refusedAdvice} from '../../refused-login.ts';
import type {SourceParts} from '../../source.ts';
import {type Client, openClient} from './client.ts';
import type {RedfishReceiverConfig, RedfishSystem} from './config.ts';
import {machinesIn} from './inventory-machines.ts';
import {createReader, type InventoryLimits, inventoryLimits} from './inventory-reader.ts';
import {walk} from './inventory-walk.ts';
import {keyOf} from './json.ts';
import {createSession, LoginRefused} from './session.ts';

export type InventoryParts = Pick<SourceParts, 'marks' | 'log' | 'now'>;

/** What a management module can tell; the rest is for the machine itself. */
const told: readonly InventorySection[] = ['hardware', 'firmware', 'network'];
/** A module that does not answer does not hold up the end of the collection. */
const logoutMillis = 3000;

/** One source for each module that `receivers.redfish` names. It logs in for each collection, and out after it. */
export function createRedfishInventories(
	config: RedfishReceiverConfig,
	parts: InventoryParts,
	limits: InventoryLimits = inventoryLimits,
): InventorySource[] {
	return config.systems.map(system => ({
		source: 'redfish',
		target: system.url.host,
		async collect(sections, signal) {
			if (!told.some(section => sections.has(section))) return [];
			try {
				return await withLogin(system, config, parts, () => lookInto(system, {config, parts, limits, sections, signal}));
			} catch (error) {
				throw named(system, signal, toError(error));
			}
		},
	}));
}

/** With the memory of the watch: a login that was refused to one of the two is not tried by the other. */
async function withLogin<Result>(
	system: RedfishSystem,
	{refused_pause}: RedfishReceiverConfig,
	{marks, now = Date.now}: InventoryParts,
	work: () => Promise<Result>,
): Promise<Result> {
	const refusals = createRefusals(marks, refused_pause, now);
	const login: Login = {key: `${keyOf(system)}/refused`, username: system.username, password: system.password};
	if (await refusals.isHeld(login)) throw new LoginRefused(`the login of ${system.username} was refused before`);
	try {
		const result = await work();
		await refusals.accepted(login);
		return result;
	} catch (error) {
		if (error instanceof LoginRefused) await refusals.refused(login);
		throw error;
	}
}

type Look = {
	readonly config: RedfishReceiverConfig;
	readonly parts: InventoryParts;
	readonly limits: InventoryLimits;
	readonly sections: ReadonlySet<InventorySection>;
	readonly signal: AbortSignal;
};

async function lookInto(system: RedfishSystem, {config, parts, limits, sections, signal}: Look): Promise<Collected[]> {
	const session = createSession(system, parts, 'inventory-session');
	const within = {...config, max_total_size: limits.mostBytes};
	const withClient = async <Result>(until: AbortSignal, work: (client: Client) => Promise<Result>): Promise<Result> => {
		const client = await openClient(system, {session, limits: within, signal: until});
		return work(client).finally(client.close);
	};
	const late = AbortSignal.timeout(limits.mostMillis);
	try {
		return await withClient(AbortSignal.any([signal, late]), async client => {
			const root = await client.get('/redfish/v1/');
			if (!root)
				throw new BridgeError('ERR_MALFORMED', `there is no Redfish service: ${client.unread()[0] ?? '/redfish/v1/ (404)'}`);
			const reader = createReader(client, limits, signal, late);
			const walked = await walk(reader, root, sections);
			return machinesIn(walked, {target: system, sections, faults: reader.faults(), collectedAt: (parts.now ?? Date.now)()});
		});
	} finally {
		await withClient(AbortSignal.timeout(logoutMillis), client => client.logout()).catch(error =>
			parts.log('info', `Redfish ${system.url.host}: the session could not be ended: ${toError(error).message}`),
		);
	}
}

const codes: Readonly<Record<string, BridgeErrorCode>> = {
	ECONNREFUSED: 'ERR_CONNECTION_REFUSED',
	EHOSTUNREACH: 'ERR_CONNECTION_REFUSED',
	ENETUNREACH: 'ERR_CONNECTION_REFUSED',
	ETIMEDOUT: 'ERR_CONNECTION_TIMEOUT',
	UND_ERR_CONNECT_TIMEOUT: 'ERR_CONNECTION_TIMEOUT',
	ECONNRESET: 'ERR_CONNECTION_RESET',
	EPIPE: 'ERR_CONNECTION_RESET',
	ENOTFOUND: 'ERR_NAME_NOT_FOUND',
	EAI_AGAIN: 'ERR_NAME_NOT_FOUND',
	UND_ERR_HEADERS_TIMEOUT: 'ERR_REPLY_TIMEOUT',
	UND_ERR_BODY_TIMEOUT: 'ERR_REPLY_TIMEOUT',
};

function named({url}: RedfishSystem, signal: AbortSignal, error: Error): BridgeError {
	const of = `Redfish ${url.host}`;
	if (error instanceof LoginRefused) return new BridgeError('ERR_LOGIN_REFUSED', `${of}: ${error.message}: ${refusedAdvice}`);
	if (signal.aborted) return new BridgeError('ERR_SHUTTING_DOWN', `${of}: the inventory was broken off`, {cause: error});
	if (isBridgeError(error)) return new BridgeError(error.code, `${of}: ${error.message}`, {cause: error});
	if (error.name === 'TimeoutError') return new BridgeError('ERR_REPLY_TIMEOUT', `${of} did not answer in time`, {cause: error});
	const code = 'code' in error ? codes[String(error.code)] : undefined;
	return new BridgeError(code ?? 'ERR_REPLY_TRUNCATED', `${of}: ${error.message}`, {cause: error});
}
