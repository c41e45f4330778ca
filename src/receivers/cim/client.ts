import {BridgeError} from '../../errors.ts';
import {type Instance, type InstancePath, type Property, readInstance, readPath, writeInstance, writePath} from './instance.ts';
import type {Posted, Transport} from './transport.ts';
import {childrenOf, descend, type Element, escapeXml, parseXml} from './xml.ts';

/** A module may list the subscriptions of many. */
const mostMarkup = 500_000;

/** CIM status codes (DSP0200) that are acted upon. */
export const cimStatus = {
	failed: 1,
	accessDenied: 2,
	invalidNamespace: 3,
	invalidParameter: 4,
	invalidClass: 5,
	notFound: 6,
	notSupported: 7,
	alreadyExists: 11,
	noSuchProperty: 12,
	typeMismatch: 13,
	queryLanguageNotSupported: 14,
	invalidQuery: 15,
	limitsExceeded: 27,
} as const;

/** What the server said: its value, or a CIM error. A refused login counts as access denied. */
export type Answer<T> =
	| {readonly ok: true; readonly value: T}
	| {readonly ok: false; readonly status: number; readonly text: string};
export type Named = {readonly path: InstancePath; readonly instance: Instance};

export type CimClient = ReturnType<typeof createClient>;

/** Operations of CIM-XML (DSP0200) in one namespace. What is no CIM answer is thrown, as a BridgeError. */
export function createClient(transport: Transport, login: {username: string; password: string}, signal: AbortSignal) {
	const authorization = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
	let count = 0;

	async function call(method: string, namespace: string, parameters: string): Promise<Answer<Element | undefined>> {
		const id = String(++count);
		const headers = {
			Authorization: authorization,
			'Content-Type': 'application/xml; charset="utf-8"',
			Accept: 'application/xml, text/xml',
			CIMOperation: 'MethodCall',
			CIMMethod: method,
			CIMObject: encodeURIComponent(namespace),
		};
		const posted = await transport.post(headers, requestOf(id, method, namespace, parameters), signal);
		return readAnswer(posted, method, transport.url);
	}

	const withClass = (name: string) => `<IPARAMVALUE NAME="ClassName"><CLASSNAME NAME="${escapeXml(name)}"/></IPARAMVALUE>`;
	const withPath = (path: InstancePath) => `<IPARAMVALUE NAME="InstanceName">${writePath(path)}</IPARAMVALUE>`;

	return {
		url: transport.url,
		async enumerate(namespace: string, className: string): Promise<Answer<readonly Named[]>> {
			const answer = await call('EnumerateInstances', namespace, withClass(className));
			return answer.ok ? {ok: true, value: childrenOf(answer.value, 'VALUE.NAMEDINSTANCE').flatMap(readNamed)} : answer;
		},
		async create(namespace: string, className: string, properties: readonly Property[]): Promise<Answer<InstancePath>> {
			const instance = `<IPARAMVALUE NAME="NewInstance">${writeInstance(className, properties)}</IPARAMVALUE>`;
			const answer = await call('CreateInstance', namespace, instance);
			if (!answer.ok) return answer;
			const element = descend(answer.value, 'INSTANCENAME');
			if (!element) throw new BridgeError('ERR_MALFORMED', `${transport.url} did not say what it created`);
			return {ok: true, value: readPath(element)};
		},
		remove: (namespace: string, path: InstancePath): Promise<Answer<unknown>> =>
			call('DeleteInstance', namespace, withPath(path)),
	};
}

function readNamed(element: Element): Named[] {
	const [path, instance] = [descend(element, 'INSTANCENAME'), descend(element, 'INSTANCE')];
	return path && instance ? [{path: readPath(path), instance: readInstance(instance)}] : [];
}

function requestOf(id: string, method: string, namespace: string, parameters: string): string {
	const names = namespace.split('/').filter(name => name !== '');
	const path = `<LOCALNAMESPACEPATH>${names.map(name => `<NAMESPACE NAME="${escapeXml(name)}"/>`).join('')}</LOCALNAMESPACEPATH>`;
	const call = `<IMETHODCALL NAME="${method}">${path}${parameters}</IMETHODCALL>`;
	return (
		'<?xml version="1.0" encoding="utf-8"?>\n<CIM CIMVERSION="2.0" DTDVERSION="2.0">' +
		`<MESSAGE ID="${id}" PROTOCOLVERSION="1.0"><SIMPLEREQ>${call}</SIMPLEREQ></MESSAGE></CIM>\n`
	);
}

function readAnswer({statusCode, cimError, body}: Posted, method: string, url: string): Answer<Element | undefined> {
	if (statusCode === 401 || statusCode === 403) return {ok: false, status: cimStatus.accessDenied, text: `HTTP ${statusCode}`};
	if (statusCode !== 200) {
		const word = cimError === '' ? '' : ` (${cimError.slice(0, 100)})`;
		throw new BridgeError('ERR_MALFORMED', `${url} answered ${method} with HTTP ${statusCode}${word}`);
	}
	const response = descend(parseXml(body, mostMarkup), 'MESSAGE', 'SIMPLERSP', 'IMETHODRESPONSE');
	if (!response) throw new BridgeError('ERR_MALFORMED', `${url} answered ${method} with something else than a CIM response`);
	const error = descend(response, 'ERROR');
	if (!error) return {ok: true, value: descend(response, 'IRETURNVALUE')};
	const status = Number(error.attributes.get('CODE')) || cimStatus.failed;
	return {ok: false, status, text: (error.attributes.get('DESCRIPTION') ?? '').slice(0, 300)};
}
