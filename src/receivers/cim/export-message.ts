import type {IncomingHttpHeaders} from 'node:http';
import {type Instance, readInstance} from './instance.ts';
import {childrenOf, descend, type Element, escapeXml} from './xml.ts';

/** No indication: an HTTP error with the word of DSP0200 for it, or a CIM error inside of an answer. */
export type Rejection =
	| {readonly httpStatus: number; readonly cimError?: string; readonly text: string}
	| {readonly messageId: string; readonly method: string; readonly code: number; readonly text: string};
export type Exported = {readonly messageId: string; readonly method: string; readonly indication: Instance};

const refused = (httpStatus: number, text: string, cimError?: string): Rejection => ({
	httpStatus,
	text,
	...(cimError !== undefined && {cimError}),
});

/**
The checks of DSP0200 that tell an indication from something else. What only says how an answer might be, such as Accept, is
not checked: old firmware must not lose an event over it.
*/
export function refusalOfHeaders(headers: IncomingHttpHeaders, httpVersion: string): Rejection | undefined {
	const header = (name: string) => [headers[name]].flat()[0]?.trim() ?? '';
	if (httpVersion === '1.1' && header('host') === '') return refused(400, 'HTTP/1.1 needs a Host header.');
	if (headers.cimexportbatch !== undefined)
		return refused(501, 'Several requests in one are not taken: send one by one.', 'multiple-requests-unsupported');
	if (header('cimexport') === '') return refused(400, 'There is no CIMExport header: this is a listener for CIM indications.');
	if (header('cimexport').toLowerCase() !== 'methodrequest')
		return refused(400, 'CIMExport must be MethodRequest.', 'unsupported-operation');
	if (header('cimexportmethod') === '') return refused(400, 'There is no CIMExportMethod header.', 'header-mismatch');
	const coding = header('content-encoding').toLowerCase();
	if (coding !== '' && coding !== 'identity') return refused(406, 'Content-Encoding must be identity.', 'header-mismatch');
	const type = header('content-type').toLowerCase().split(';', 1)[0]?.trim();
	if (type !== 'text/xml' && type !== 'application/xml')
		return refused(406, 'Content-Type must be application/xml or text/xml.', 'header-mismatch');
	return undefined;
}

/** Reads a message of which the headers are in order. */
export function readExport(root: Element, headerMethod: string): Exported | Rejection {
	const message = descend(root, 'MESSAGE');
	if (root.name !== 'CIM' || !message) return notValid('there is no MESSAGE in a CIM');
	const unsupported = versionFault(root, message);
	if (unsupported) return unsupported;
	if (descend(message, 'MULTIEXPREQ'))
		return refused(501, 'Several requests in one are not taken: send one by one.', 'multiple-requests-unsupported');
	const call = descend(message, 'SIMPLEEXPREQ', 'EXPMETHODCALL');
	if (!call) return notValid('there is no EXPMETHODCALL in a SIMPLEEXPREQ');
	const [messageId, method] = [message.attributes.get('ID') ?? '', call.attributes.get('NAME') ?? ''];
	if (method.toLowerCase() !== headerMethod.trim().toLowerCase())
		return refused(400, 'CIMExportMethod is not the method of the message.', 'header-mismatch');
	const error = (code: number, text: string): Rejection => ({messageId, method, code, text});
	if (method.toLowerCase() !== 'exportindication') return error(7, `The export method ${method.slice(0, 100)} is not supported.`);
	const values = childrenOf(call, 'EXPPARAMVALUE');
	const instance = descend(values[0], 'INSTANCE');
	const isNamed = values[0]?.attributes.get('NAME')?.toLowerCase() === 'newindication';
	if (values.length !== 1 || !isNamed || !instance)
		return error(4, 'NewIndication must be one instance, and the only parameter.');
	return {messageId, method, indication: readInstance(instance)};
}

const notValid = (what: string): Rejection => refused(400, `The request is no CIM export message: ${what}.`, 'request-not-valid');

const versions = [
	['CIMVERSION', /^2\./, 'unsupported-cim-version'],
	['DTDVERSION', /^2\./, 'unsupported-dtd-version'],
	['PROTOCOLVERSION', /^1\./, 'unsupported-protocol-version'],
] as const;

/** Only what is said counts: a message that names no version is taken. */
function versionFault(root: Element, message: Element): Rejection | undefined {
	for (const [name, expected, word] of versions) {
		const version = (root.attributes.get(name) ?? message.attributes.get(name) ?? '').trim();
		if (version !== '' && !expected.test(version)) return refused(400, `${name} ${version.slice(0, 20)} is not supported.`, word);
	}
	return undefined;
}

const envelope = (messageId: string, method: string, inside: string): string =>
	'<?xml version="1.0" encoding="utf-8"?>\n<CIM CIMVERSION="2.0" DTDVERSION="2.0">' +
	`<MESSAGE ID="${escapeXml(messageId)}" PROTOCOLVERSION="1.0"><SIMPLEEXPRSP>` +
	`<EXPMETHODRESPONSE NAME="${escapeXml(method)}">${inside}</EXPMETHODRESPONSE></SIMPLEEXPRSP></MESSAGE></CIM>\n`;

export const writeSuccess = ({messageId, method}: Exported): string => envelope(messageId, method, '');

export const writeError = (messageId: string, method: string, code: number, text: string): string =>
	envelope(messageId, method, `<ERROR CODE="${code}" DESCRIPTION="${escapeXml(text)}"/>`);
