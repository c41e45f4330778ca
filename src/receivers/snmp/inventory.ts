import {lookup} from 'node:dns/promises';
import {isIP} from 'node:net';
import {BridgeError, type BridgeErrorCode, isBridgeError, toError} from '../../errors.ts';
import type {Collected, Inventory, InventorySection, InventorySource} from '../../inventory.ts';
import {inOrder, withoutUnknown, wordIn} from '../../inventory-words.ts';
import {createRefusals, refusedAdvice} from '../../refused-login.ts';
import type {SourceParts} from '../../source.ts';
import type {PollConfig, PolledHost, SnmpReceiverConfig} from './config.ts';
import {profileRoots, vpdTables} from './imm-mib.ts';
import {entityColumns, entityEntry, entityMachine, entityParts} from './inventory-entity.ts';
import {immFirmware, immNetwork, immParts} from './inventory-imm.ts';
import {isOf, keyOfHost, loginOf, openSession, targetOf, withDeadline} from './polled-host.ts';
import {type Found, readScalars, resourceOf} from './scrape.ts';
import {type Session, SessionError, type SessionFault} from './session.ts';
import {createV2cTransport} from './session-v2c.ts';
import {textOfValue} from './trap.ts';
import {type Table, walk} from './walk.ts';

export type InventoryParts = Pick<SourceParts, 'marks' | 'now'>;

/** What a module can tell over SNMP; the rest is for the machine itself. */
const told: readonly InventorySection[] = ['hardware', 'firmware', 'network'];
/** Of one collection. A module answers in less than a second, as a rule. */
const mostMillis = 120_000;

/** One source for each host that `receivers.snmp.poll` names. It asks anew for each collection, and holds nothing open. */
export function createSnmpInventories({poll}: SnmpReceiverConfig, parts: InventoryParts): InventorySource[] {
	if (!poll) return [];
	return poll.hosts.map(host => ({
		source: 'snmp',
		target: targetOf(host),
		async collect(sections, signal) {
			if (!told.some(section => sections.has(section))) return [];
			try {
				return [await ask(host, poll, parts, {sections, signal})];
			} catch (error) {
				throw named(host, signal, toError(error));
			}
		},
	}));
}

type Wish = {readonly sections: ReadonlySet<InventorySection>; readonly signal: AbortSignal};

/** With the memory of the poller: a user that was refused to one of the two is not tried by the other. */
async function ask(host: PolledHost, poll: PollConfig, {marks, now = Date.now}: InventoryParts, wish: Wish): Promise<Collected> {
	const refusals = createRefusals(marks, poll.refused_pause, now);
	const login = host.user && loginOf(keyOfHost(host), host.user);
	if (login && (await refusals.isHeld(login))) throw new SessionError('held', 'it refused this user a short time ago');
	const address = isIP(host.host) ? host.host : (await lookup(host.host)).address;
	try {
		const collected = await withSession(host, poll, address, wish.signal, session =>
			read(session, host, address, poll, wish, now()),
		);
		if (login) await refusals.accepted(login);
		return collected;
	} catch (error) {
		if (login && isOf(error, 'credentials')) await refusals.refused(login);
		throw error;
	}
}

async function withSession<Result>(
	host: PolledHost,
	{timeout: timeoutMillis, retries}: PollConfig,
	address: string,
	signal: AbortSignal,
	work: (session: Session) => Promise<Result>,
): Promise<Result> {
	signal.throwIfAborted();
	const transport = createV2cTransport();
	const session = openSession(host, {address, port: host.port, timeoutMillis, retries}, transport);
	const {promise: aborted, reject} = Promise.withResolvers<never>();
	const onAbort = () => reject(signal.reason);
	signal.addEventListener('abort', onAbort, {once: true});
	try {
		const clock = () => performance.now();
		return await Promise.race([work(withDeadline(session, clock() + mostMillis, clock)), aborted]);
	} finally {
		signal.removeEventListener('abort', onAbort);
		session.close();
		transport.close();
	}
}

async function read(
	session: Session,
	host: PolledHost,
	address: string,
	{max_repetitions: maxRepetitions}: PollConfig,
	{sections, signal}: Wish,
	collectedAt: number,
): Promise<Collected> {
	const root = profileRoots[host.profile];
	const found = await readScalars(session, root);
	const faults: string[] = [];
	/** One table that cannot be read does not hide the others. */
	async function tableOf(columns: readonly string[]): Promise<Table> {
		const entry = columns[0]?.slice(0, columns[0].lastIndexOf('.')) ?? '';
		try {
			return (await walk(session, columns, {maxRepetitions})).get(entry) ?? new Map();
		} catch (error) {
			if (isOf(error, 'credentials') || signal.aborted) throw error;
			faults.push(`${entry}: ${wordIn(toError(error).message)}`);
			return new Map();
		}
	}
	const isModule = found('health') !== null || found('machineType') !== null;
	const entities = async () => (await walk(session, entityColumns, {maxRepetitions})).get(entityEntry);
	const told = isModule ? await fromModule(root, found, sections, tableOf) : fromEntities(sections, await entities());
	const resource = resourceOf(host, address, found);
	return {resource, inventory: {collectedAt, source: 'snmp', ...told, parts: inOrder(told.parts), faults: faults.toSorted()}};
}

type Told = Pick<Inventory, 'machine' | 'parts' | 'network'>;
type ReadTable = (columns: readonly string[]) => Promise<Table>;

const sectionOf: Readonly<Record<keyof typeof vpdTables, InventorySection>> = {
	firmware: 'firmware',
	component: 'hardware',
	address: 'network',
	cpu: 'hardware',
	memory: 'hardware',
	powerSupply: 'hardware',
	disk: 'hardware',
};

async function fromModule(
	root: string,
	found: Found,
	sections: ReadonlySet<InventorySection>,
	tableOf: ReadTable,
): Promise<Told> {
	const tables = new Map<string, Table>();
	for (const name of Object.keys(vpdTables) as (keyof typeof vpdTables)[]) {
		const {entry, ...columns} = vpdTables[name];
		if (sections.has(sectionOf[name]))
			tables.set(entry, await tableOf(Object.values(columns).map(column => `${root}.${entry}.${column}`)));
	}
	const table = (entry: string): Table => tables.get(entry) ?? new Map();
	const network = immNetwork(table);
	return {
		machine: sections.has('hardware') ? machineOf(found) : {},
		parts: [...immParts(table), ...immFirmware(table)],
		...(sections.has('network') && {network}),
	};
}

function machineOf(found: Found): Inventory['machine'] {
	const word = (name: Parameters<Found>[0]) => wordIn(textOfValue(found(name)));
	const label = [word('machineType'), word('model')].filter(text => text !== undefined).join('-');
	return withoutUnknown({
		product: word('product') ?? wordIn(label),
		serialNumber: word('serialNumber'),
		uuid: word('uuid'),
		kind: 'physical',
	});
}

function fromEntities(sections: ReadonlySet<InventorySection>, table: Table | undefined): Told {
	if (!table)
		throw new SessionError('failed', `it has neither what an IMM has nor an ENTITY-MIB (${entityEntry}): is the profile right?`);
	if (!sections.has('hardware')) return {machine: {}, parts: []};
	return {machine: entityMachine(table), parts: entityParts(table, sections.has('firmware'))};
}

const codes: Readonly<Record<SessionFault, BridgeErrorCode>> = {
	timeout: 'ERR_REPLY_TIMEOUT',
	credentials: 'ERR_LOGIN_REFUSED',
	held: 'ERR_LOGIN_REFUSED',
	too_big: 'ERR_TOO_LARGE',
	no_such_name: 'ERR_MALFORMED',
	failed: 'ERR_MALFORMED',
};

function named(host: PolledHost, signal: AbortSignal, error: Error): BridgeError {
	const of = `SNMP ${targetOf(host)}`;
	if (signal.aborted) return new BridgeError('ERR_SHUTTING_DOWN', `${of}: the inventory was broken off`, {cause: error});
	if (isBridgeError(error)) return new BridgeError(error.code, `${of}: ${error.message}`, {cause: error});
	if (!(error instanceof SessionError)) {
		const isName = 'code' in error && (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN');
		return new BridgeError(isName ? 'ERR_NAME_NOT_FOUND' : 'ERR_MALFORMED', `${of}: ${error.message}`, {cause: error});
	}
	const code = codes[error.fault];
	const advice = code === 'ERR_LOGIN_REFUSED' ? `: ${refusedAdvice}` : '';
	return new BridgeError(code, `${of}: ${error.message}${advice}`, {cause: error});
}
