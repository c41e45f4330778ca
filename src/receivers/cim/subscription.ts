import {hash} from 'node:crypto';
import {BridgeError} from '../../errors.ts';
import {type Answer, type CimClient, cimStatus, type Named} from './client.ts';
import {type InstancePath, isPath, keyOf, type Property, textOf} from './instance.ts';

export type Wish = {
	/** This bridge among others that subscribe at the same module. */
	readonly agentId: string;
	readonly host: string;
	readonly destination: string;
	readonly query: string;
	/** When it is known; else the usual ones are tried. */
	readonly namespace: string | undefined;
	/** Whether a subscription is wished at all; else what this bridge left there is removed. */
	readonly subscribe: boolean;
};

/** What was found or done at the module; `refused` is for a person, and is not to be tried again soon. */
export type Ensured =
	| {readonly state: 'subscribed' | 'removed'; readonly created: readonly string[]; readonly removed: number}
	| {readonly state: 'refused'; readonly isLogin: boolean; readonly text: string};

/** In the order in which they are tried. */
const interopNamespaces = ['root/interop', 'interop', 'root/PG_InterOp'];
const classes = {
	destination: 'CIM_ListenerDestinationCIMXML',
	filter: 'CIM_IndicationFilter',
	subscription: 'CIM_IndicationSubscription',
} as const;
type Kind = keyof typeof classes;
const disabled = '4';

/** A CIM error that ends the check; where it is not for a person, the next check tries again. */
class Refusal extends BridgeError {
	readonly status: number;
	constructor(status: number, text: string) {
		super('ERR_NOT_READY', text);
		this.status = status;
	}
}

const orThrow = <T>(answer: Answer<T>, what: string): T => {
	if (answer.ok) return answer.value;
	throw new Refusal(answer.status, `${what}: CIM error ${answer.status} ${answer.text}`.trim());
};

const short = (text: string): string => hash('sha256', text, 'hex').slice(0, 12);
/** The name says what is wished: another destination or query has another name, and what had the old one is a stray. */
const nameFor = ({agentId}: Pick<Wish, 'agentId'>, kind: Kind, value: string): string =>
	`callhome:${agentId}:${kind}:${short(value)}`;

/** Finds or makes the destination, the filter and the subscription, and removes what this bridge left there before. */
export async function ensureSubscription(client: CimClient, wish: Wish): Promise<Ensured> {
	try {
		return await ensure(client, wish);
	} catch (error) {
		if (!(error instanceof Refusal)) throw error;
		const isLogin = error.status === cimStatus.accessDenied;
		if (isLogin || error.status === cimStatus.limitsExceeded) return {state: 'refused', isLogin, text: error.message};
		throw error;
	}
}

async function ensure(client: CimClient, wish: Wish): Promise<Ensured> {
	const {namespace, systemName} = await findInterop(client, wish);
	const found = {
		destination: await list(client, namespace, 'destination'),
		filter: await list(client, namespace, 'filter'),
		subscription: await list(client, namespace, 'subscription'),
	};
	if (!wish.subscribe) return {state: 'removed', created: [], removed: await removeAll(client, namespace, wish, found)};
	const names = {destination: nameFor(wish, 'destination', wish.destination), filter: nameFor(wish, 'filter', wish.query)};
	const created: string[] = [];
	const keep = async (kind: 'destination' | 'filter', make: () => Promise<Answer<InstancePath>>): Promise<InstancePath> => {
		const existing = found[kind].find(({path}) => nameOfPath(path) === names[kind]);
		if (existing) return existing.path;
		const answer = await make();
		created.push(kind);
		if (answer.ok) return answer.value;
		if (answer.status === cimStatus.alreadyExists) return namedPath(kind, systemName, names[kind]);
		return orThrow(answer, `CreateInstance of ${classes[kind]}`);
	};
	const common = (kind: Kind, name: string): Property[] =>
		[...namedPath(kind, systemName, name).keys].map(([key, value]) => ({name: key, type: 'string', value}));
	const destination = await keep('destination', () =>
		client.create(namespace, classes.destination, [
			...common('destination', names.destination),
			{name: 'Destination', type: 'string', value: wish.destination},
			{name: 'PersistenceType', type: 'uint16', value: '2'},
		]),
	);
	const filter = await keep('filter', () => createFilter(client, namespace, common('filter', names.filter), wish.query));

	const ours = found.subscription.filter(
		({path}) => isRef(path, 'Handler', nameOfPath(destination)) && isRef(path, 'Filter', nameOfPath(filter)),
	);
	const working = ours.find(({instance}) => textOf(instance, 'SubscriptionState') !== disabled);
	for (const {path} of ours.filter(one => one !== working)) await client.remove(namespace, path);
	if (!working) {
		await subscribe(client, namespace, filter, destination);
		created.push('subscription');
	}
	const {removed} = await removeStrays(client, namespace, wish, found, names);
	return {state: 'subscribed', created, removed};
}

type Found = Readonly<Record<Kind, readonly Named[]>>;
type Place = {readonly namespace: string; readonly systemName: string};

async function findInterop(client: CimClient, {namespace, host}: Wish): Promise<Place> {
	const candidates = namespace === undefined ? interopNamespaces : [namespace.replace(/^\//, '')];
	for (const candidate of candidates) {
		const answer = await client.enumerate(candidate, 'CIM_ObjectManager');
		if (answer.ok) return {namespace: candidate, systemName: systemNameIn(answer.value) || host};
		if (answer.status === cimStatus.invalidNamespace) continue;
		// The namespace is there: only the class is not.
		if (answer.status === cimStatus.invalidClass || answer.status === cimStatus.notSupported)
			return {namespace: candidate, systemName: host};
		orThrow(answer, 'EnumerateInstances of CIM_ObjectManager');
	}
	throw new BridgeError('ERR_NOT_READY', `none of its namespaces is ${candidates.join(', ')}: set interop_namespace`);
}

const systemNameIn = (managers: readonly Named[]): string =>
	managers.map(({instance}) => textOf(instance, 'SystemName')).find(name => name !== '') ?? '';

async function list(client: CimClient, namespace: string, kind: Kind): Promise<readonly Named[]> {
	const answer = await client.enumerate(namespace, classes[kind]);
	if (!answer.ok && answer.status === cimStatus.notFound) return [];
	return orThrow(answer, `EnumerateInstances of ${classes[kind]}`);
}

const namedPath = (kind: Kind, systemName: string, name: string): InstancePath => ({
	className: classes[kind],
	keys: new Map([
		['SystemCreationClassName', 'CIM_ComputerSystem'],
		['SystemName', systemName],
		['CreationClassName', classes[kind]],
		['Name', name],
	]),
});

function nameOfPath(path: InstancePath): string {
	const name = keyOf(path, 'Name');
	return typeof name === 'string' ? name : '';
}

function isRef(path: InstancePath, role: 'Filter' | 'Handler', name: string): boolean {
	const reference = keyOf(path, role);
	return isPath(reference) && nameOfPath(reference) === name;
}

/** A language that the module does not know, or a query that it does not like in one, is not the end. */
async function createFilter(client: CimClient, namespace: string, common: readonly Property[], query: string) {
	const create = (language: string) =>
		client.create(namespace, classes.filter, [
			...common,
			{name: 'SourceNamespace', type: 'string', value: 'root/cimv2'},
			{name: 'Query', type: 'string', value: query},
			{name: 'QueryLanguage', type: 'string', value: language},
		]);
	const first = await create('WQL');
	const isRefused =
		!first.ok && (first.status === cimStatus.queryLanguageNotSupported || first.status === cimStatus.invalidQuery);
	return isRefused ? create('DMTF:CQL') : first;
}

/** Failed deliveries are to be ignored (OnFatalErrorPolicy 2), where the module lets itself be told. */
async function subscribe(client: CimClient, namespace: string, filter: InstancePath, destination: InstancePath): Promise<void> {
	const references: Property[] = [
		{name: 'Filter', type: 'reference', value: filter, of: 'CIM_IndicationFilter'},
		{name: 'Handler', type: 'reference', value: destination, of: 'CIM_ListenerDestination'},
	];
	const policy: Property = {name: 'OnFatalErrorPolicy', type: 'uint16', value: '2'};
	const wished = await client.create(namespace, classes.subscription, [...references, policy]);
	const {failed, invalidParameter, notSupported, noSuchProperty, typeMismatch, alreadyExists} = cimStatus;
	const plain: readonly number[] = [failed, invalidParameter, notSupported, noSuchProperty, typeMismatch];
	const answer =
		!wished.ok && plain.includes(wished.status) ? await client.create(namespace, classes.subscription, references) : wished;
	if (!answer.ok && answer.status === alreadyExists) return;
	orThrow(answer, `CreateInstance of ${classes.subscription}`);
}

/** Whatever cannot be removed is for the next check. */
async function removeAll(client: CimClient, namespace: string, wish: Wish, found: Found): Promise<number> {
	const {removed, left} = await removeStrays(client, namespace, wish, found, {destination: '', filter: ''});
	if (left > 0) throw new BridgeError('ERR_NOT_READY', `${left} instance(s) of this bridge could not be removed`);
	return removed;
}

/** Subscriptions first: what they refer to may not be removed before them. What cannot be removed is tried at the next check. */
async function removeStrays(
	client: CimClient,
	namespace: string,
	{agentId}: Wish,
	found: Found,
	names: {readonly destination: string; readonly filter: string},
): Promise<{readonly removed: number; readonly left: number}> {
	const isStray = (name: string) =>
		name.startsWith(`callhome:${agentId}:`) && name !== names.destination && name !== names.filter;
	const refersToStray = ({path}: Named) =>
		(['Filter', 'Handler'] as const).some(role => {
			const reference = keyOf(path, role);
			return isPath(reference) && isStray(nameOfPath(reference));
		});
	const strays = [
		...found.subscription.filter(refersToStray),
		...[...found.filter, ...found.destination].filter(({path}) => isStray(nameOfPath(path))),
	];
	let removed = 0;
	for (const {path} of strays) if ((await client.remove(namespace, path)).ok) removed++;
	return {removed, left: strays.length - removed};
}
