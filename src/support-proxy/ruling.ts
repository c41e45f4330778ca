import type {IncomingMessage} from 'node:http';
import {type AllowList, listKey} from './allow-list.ts';
import {type AbsoluteTarget, isAddress, parseAbsolute, parseAuthority, type Target} from './authority.ts';
import {malformed, type Refusal} from './refusal.ts';

/** Yes, no, or: yes if the address is one of those that a listed name has now. */
export type Ruling<T extends Target> =
	| {readonly status: 'passes' | 'address'; readonly target: T}
	| {readonly status: 'refused'; readonly target?: Target; readonly refusal: Refusal};

const advice = '"callhome support-proxy show" prints what passes; add a server under "destinations" in the configuration';

const refused = (refusal: Refusal, target?: Target): Ruling<never> => ({
	status: 'refused',
	refusal,
	...(target && {target}),
});
const forbidden = (decision: Refusal['decision'], text: string, target?: Target) =>
	refused({decision, status: 403, text}, target);

const notListed = ({host, port}: Target) =>
	forbidden('not_listed', `${host} port ${port} is not a listed destination, and nothing else passes: ${advice}.`, {host, port});

/** Whether the list has the target. A listed name with another port is told apart, for that is what is to be corrected. */
function onList<T extends Target>(target: T, {names, addresses}: AllowList): Ruling<T> {
	const {host, port} = target;
	const index = isAddress(target) ? addresses : names;
	if (index.has(listKey(host, port))) return {status: 'passes', target};
	const ports = [...index.keys()].filter(key => key.startsWith(`${host} `)).map(key => key.slice(host.length + 1));
	if (ports.length > 0) {
		const text = `${host} passes with port ${ports.join(' and ')} only, not with ${port}: ${advice}.`;
		return forbidden('port', text, target);
	}
	return isAddress(target) ? {status: 'address', target} : notListed(target);
}

/** A tunnel. Never to port 80: what goes through a tunnel cannot be seen, and nothing is uploaded over plain HTTP. */
export function tunnelRuling(authority: string, list: AllowList): Ruling<Target> {
	const target = parseAuthority(authority);
	if (!target) return refused(malformed('CONNECT needs HOST:PORT, such as CONNECT www.ibm.com:443, with nothing around it.'));
	if (target.port !== 80) return onList(target, list);
	const text =
		'CONNECT to port 80 does not pass: plain HTTP is for configuration updates only. Ask with GET http://HOST/, or connect to 443.';
	return forbidden('port', text, target);
}

/** A request in absolute form: only a GET or HEAD without a body, over plain HTTP, of a configuration update (S72). */
export function downloadRuling(request: IncomingMessage, list: AllowList): Ruling<AbsoluteTarget> {
	const url = request.url ?? '';
	if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(url))
		return refused(malformed('This is a proxy: ask with CONNECT HOST:PORT, or GET http://HOST/ for configuration updates.'));
	if (!/^http:/i.test(url)) return forbidden('not_listed', 'Only http:// URLs are fetched here: for https:// use CONNECT.');
	const target = parseAbsolute(url);
	if (!target) return refused(malformed('The URL is not http://HOST/PATH, without user information and fragment.'));
	if (uploads(request)) {
		const text = 'Nothing is uploaded over plain HTTP: only GET and HEAD without a body pass. Use CONNECT to port 443.';
		return forbidden('upload_over_http', text, target);
	}
	if (target.port === 80) return onList(target, list);
	return forbidden('port', `Plain HTTP passes to port 80 only, not to ${target.port}: use CONNECT.`, target);
}

/** Whether a request is anything but a question. */
export function uploads({method, headers}: IncomingMessage): boolean {
	return (method !== 'GET' && method !== 'HEAD') || hasBody(headers);
}

export const hasBody = (headers: IncomingMessage['headers']): boolean =>
	headers['transfer-encoding'] !== undefined || !/^0*$/.test(headers['content-length'] ?? '');

export {notListed};
