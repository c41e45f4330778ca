import {once} from 'node:events';
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import {createServer as createSecureServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import {buffer} from 'node:stream/consumers';
import {setTimeout as pause} from 'node:timers/promises';
import type {ExecutionContext} from 'ava';
import {XMLParser} from 'fast-xml-parser';

/**
A CIM server as a management module has one: DSP0200's operations on the three classes of indications, with its own reading and
writing of XML. A stored instance is the XML that it came as; its key is the XML of its name.
*/
export type CimServerOptions = {
	readonly username?: string;
	readonly password?: string;
	readonly namespace?: string;
	readonly tls?: {readonly certificate: string; readonly key: string};
	readonly mostSubscriptions?: number;
	/** Languages that filters may have. */
	readonly languages?: readonly string[];
	/** Firmware that knows no policy of subscriptions. */
	readonly refusesPolicy?: boolean;
	readonly delayMillis?: number;
};

type Node = Record<string, unknown>;
type Reply = {readonly value: string} | {readonly code: number; readonly text: string};

const array = ['NAMESPACE', 'IPARAMVALUE', 'PROPERTY', 'PROPERTY.REFERENCE', 'KEYBINDING'];
const parser = new XMLParser({
	ignoreAttributes: false,
	attributeNamePrefix: '@',
	parseTagValue: false,
	trimValues: false,
	ignoreDeclaration: true,
	isArray: name => array.includes(name),
});
const at = (value: unknown, ...path: readonly (string | number)[]): unknown =>
	path.reduce<unknown>((found, key) => (found as Node | undefined)?.[key], value);
const list = (value: unknown): readonly Node[] => (Array.isArray(value) ? value : []);
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
const textIn = (value: unknown): string =>
	typeof value === 'string' ? value : String((value as Node | undefined)?.['#text'] ?? '');

type Stored = {className: string; name: string; text: Map<string, string>; refs: Map<string, string>};

const keysOf = (className: string) =>
	className === 'CIM_IndicationSubscription'
		? ['Filter', 'Handler']
		: ['SystemCreationClassName', 'SystemName', 'CreationClassName', 'Name'];

/** The name of an instance, written anew from what was parsed, so that it is the same however it was written. */
function nameOf(node: unknown): string {
	const bindings = list(at(node, 'KEYBINDING')).map(binding => {
		const reference = referenceIn(at(binding, 'VALUE.REFERENCE'));
		const value = reference
			? `<VALUE.REFERENCE>${reference}</VALUE.REFERENCE>`
			: `<KEYVALUE VALUETYPE="string">${escaped(textIn(at(binding, 'KEYVALUE')))}</KEYVALUE>`;
		return `<KEYBINDING NAME="${escaped(String(at(binding, '@NAME')))}">${value}</KEYBINDING>`;
	});
	return `<INSTANCENAME CLASSNAME="${at(node, '@CLASSNAME')}">${bindings.sort().join('')}</INSTANCENAME>`;
}

function referenceIn(value: unknown): string | undefined {
	const node =
		at(value, 'INSTANCENAME') ?? at(value, 'LOCALINSTANCEPATH', 'INSTANCENAME') ?? at(value, 'INSTANCEPATH', 'INSTANCENAME');
	return node === undefined ? undefined : nameOf(node);
}

function storedOf(node: unknown): Stored {
	const className = String(at(node, '@CLASSNAME'));
	const text = new Map(list(at(node, 'PROPERTY')).map(each => [String(each['@NAME']), textIn(at(each, 'VALUE'))]));
	const refs = new Map(
		list(at(node, 'PROPERTY.REFERENCE')).map(each => [String(each['@NAME']), referenceIn(at(each, 'VALUE.REFERENCE')) ?? '']),
	);
	const bindings = keysOf(className).map(key => {
		const reference = refs.get(key);
		const value = reference
			? `<VALUE.REFERENCE>${reference}</VALUE.REFERENCE>`
			: `<KEYVALUE VALUETYPE="string">${escaped(text.get(key) ?? '')}</KEYVALUE>`;
		return `<KEYBINDING NAME="${key}">${value}</KEYBINDING>`;
	});
	return {className, name: `<INSTANCENAME CLASSNAME="${className}">${bindings.sort().join('')}</INSTANCENAME>`, text, refs};
}

function write({className, text, refs}: Stored): string {
	const type = (name: string) =>
		['PersistenceType', 'OnFatalErrorPolicy', 'SubscriptionState'].includes(name) ? 'uint16' : 'string';
	const plain = [...text].map(
		([name, value]) => `<PROPERTY NAME="${name}" TYPE="${type(name)}"><VALUE>${escaped(value)}</VALUE></PROPERTY>`,
	);
	const references = [...refs].map(
		([name, value]) => `<PROPERTY.REFERENCE NAME="${name}"><VALUE.REFERENCE>${value}</VALUE.REFERENCE></PROPERTY.REFERENCE>`,
	);
	return `<INSTANCE CLASSNAME="${className}">${[...plain, ...references].join('')}</INSTANCE>`;
}

export async function startCimServer(t: ExecutionContext, options: CimServerOptions = {}) {
	const {username = 'USERID', password = 'PASSW0RD', namespace = 'root/interop', tls} = options;
	const state = {requests: [] as string[], refusedLogins: 0, delayMillis: options.delayMillis ?? 0, password};
	const instances: Stored[] = [
		{
			className: 'CIM_ObjectManager',
			name: '<INSTANCENAME CLASSNAME="CIM_ObjectManager"><KEYBINDING NAME="Name"><KEYVALUE VALUETYPE="string">om</KEYVALUE></KEYBINDING></INSTANCENAME>',
			text: new Map([
				['Name', 'om'],
				['SystemName', 'imm.example'],
			]),
			refs: new Map(),
		},
	];

	const operations: Record<string, (parameters: Map<string, Node>) => Reply> = {
		EnumerateInstances: parameters => ({
			value: instances
				.filter(({className}) => className === at(parameters.get('ClassName'), 'CLASSNAME', '@NAME'))
				.map(each => `<VALUE.NAMEDINSTANCE>${each.name}${write(each)}</VALUE.NAMEDINSTANCE>`)
				.join(''),
		}),
		EnumerateInstanceNames: parameters => ({
			value: instances
				.filter(({className}) => className === at(parameters.get('ClassName'), 'CLASSNAME', '@NAME'))
				.map(({name}) => name)
				.join(''),
		}),
		GetInstance(parameters) {
			const found = instances.find(({name}) => name === nameOf(at(parameters.get('InstanceName'), 'INSTANCENAME')));
			return found ? {value: write(found)} : {code: 6, text: 'not found'};
		},
		DeleteInstance(parameters) {
			const name = nameOf(at(parameters.get('InstanceName'), 'INSTANCENAME'));
			const index = instances.findIndex(each => each.name === name);
			if (index < 0) return {code: 6, text: 'not found'};
			if (instances.some(({refs}) => [...refs.values()].includes(name))) return {code: 1, text: 'it is referred to'};
			instances.splice(index, 1);
			return {value: ''};
		},
		CreateInstance(parameters) {
			const made = storedOf(at(parameters.get('NewInstance'), 'INSTANCE'));
			if (instances.some(({name}) => name === made.name)) return {code: 11, text: 'it exists'};
			const language = made.text.get('QueryLanguage');
			if (language !== undefined && options.languages && !options.languages.includes(language))
				return {code: 14, text: 'no such language'};
			if (made.className === 'CIM_IndicationSubscription') {
				if (options.refusesPolicy && made.text.has('OnFatalErrorPolicy')) return {code: 4, text: 'no policy'};
				const count = instances.filter(({className}) => className === made.className).length;
				if (count >= (options.mostSubscriptions ?? 16)) return {code: 27, text: 'too many subscriptions'};
				if (![...made.refs.values()].every(reference => instances.some(({name}) => name === reference)))
					return {code: 4, text: 'a reference to nothing'};
				made.text.set('SubscriptionState', '2');
			}
			instances.push(made);
			return {value: made.name};
		},
	};

	async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const body = (await buffer(request)).toString('utf8');
		if (state.delayMillis > 0) await pause(state.delayMillis);
		const expected = `Basic ${Buffer.from(`${username}:${state.password}`).toString('base64')}`;
		if (request.headers.authorization !== expected) {
			state.refusedLogins++;
			response.writeHead(401, {'WWW-Authenticate': 'Basic realm="cimom"', 'Content-Length': 0}).end();
			return;
		}
		const message = at(parser.parse(body), 'CIM', 'MESSAGE');
		const call = at(message, 'SIMPLEREQ', 'IMETHODCALL');
		const method = String(at(call, '@NAME'));
		if (request.headers.cimoperation !== 'MethodCall' || request.headers.cimmethod !== method) {
			response.writeHead(400, {CIMError: 'header-mismatch'}).end();
			return;
		}
		state.requests.push(method);
		const where = list(at(call, 'LOCALNAMESPACEPATH', 'NAMESPACE'))
			.map(each => each['@NAME'])
			.join('/');
		const parameters = new Map(list(at(call, 'IPARAMVALUE')).map(each => [String(each['@NAME']), each]));
		const operation = operations[method];
		const reply: Reply =
			where !== namespace ? {code: 3, text: where} : operation ? operation(parameters) : {code: 7, text: 'not supported'};
		const inside =
			'code' in reply
				? `<ERROR CODE="${reply.code}" DESCRIPTION="${escaped(reply.text)}"/>`
				: method === 'DeleteInstance'
					? ''
					: `<IRETURNVALUE>${reply.value}</IRETURNVALUE>`;
		const id = escaped(String(at(message, '@ID')));
		response.writeHead(200, {CIMOperation: 'MethodResponse', 'Content-Type': 'application/xml; charset="utf-8"'});
		response.end(
			`<?xml version="1.0" encoding="utf-8"?><CIM CIMVERSION="2.0" DTDVERSION="2.0"><MESSAGE ID="${id}" PROTOCOLVERSION="1.0"><SIMPLERSP>` +
				`<IMETHODRESPONSE NAME="${method}">${inside}</IMETHODRESPONSE></SIMPLERSP></MESSAGE></CIM>`,
		);
	}

	const handle = (request: IncomingMessage, response: ServerResponse) =>
		void serve(request, response).catch(() => response.destroy());
	const server: Server = tls ? createSecureServer({cert: tls.certificate, key: tls.key}, handle) : createServer(handle);
	let connections = 0;
	server.on('connection', () => connections++);
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	const of = (kind: string) => instances.filter(({className}) => className === kind);
	return {
		state,
		instances,
		port: (server.address() as AddressInfo).port,
		connections: () => connections,
		destinations: () => of('CIM_ListenerDestinationCIMXML'),
		filters: () => of('CIM_IndicationFilter'),
		subscriptions: () => of('CIM_IndicationSubscription'),
		forget: (kind: string) => instances.splice(0, instances.length, ...instances.filter(({className}) => className !== kind)),
	};
}
