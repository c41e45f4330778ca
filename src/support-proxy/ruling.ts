import type {IncomingMessage} from 'node:http';
import type {Purpose} from '../destination.ts';
import {type AllowList, type Index, listKey} from './allow-list.ts';
import {type AbsoluteTarget, isAddress, parseAbsolute, parseAuthority, type Target} from './authority.ts';
import {malformed, type Refusal} from './refusal.ts';

/** Yes, no, or: yes if the address is one of those that a listed name has now. */
export type Ruling<T extends Target> =
	| {readonly status: 'passes'; readonly target: T; readonly purposes: ReadonlySet<Purpose>}
	| {readonly status: 'address'; readonly target: T}
	| {readonly status: 'refused'; readonly target?: Target; readonly refusal: Refusal};

const advice = '"callhome support-proxy show" prints what passes; add a server under "destinations" in the configuration';

const refused = (refusal: Refusal, target?: Target): Ruling<never> => ({
	status: 'refused',
	refusal,
	...(target && {target}),
});
const forbidden = (decision: Refusal['decision'], text: string, target?: Target) =>
	refused({decision, status: 403, text}, target);

export const notListed = ({host, port}: Target): Refusal => ({
	decision: 'not_listed',
	status: 403,
	text: `${host} port ${port} is not a listed destination, and nothing else passes: ${advice}.`,
});

/** Whether the list has the target. A listed name with another port is told apart, for that is what is to be corrected. */
function onList<T extends Target>(target: T, {names, addresses}: Index): Ruling<T> {
	const {host, port} = target;
	const index = isAddress(target) ? addresses : names;
	const purposes = index.get(listKey(host, port));
	if (purposes) return {status: 'passes', target, purposes};
	const ports = [...index.keys()].filter(key => key.startsWith(`${host} `)).map(key => key.slice(host.length + 1));
	if (ports.length > 0) {
		const text = `${host} passes with port ${ports.join(' and ')} only, not with ${port}: ${advice}.`;
		return forbidden('port', text, target);
	}
	return isAddress(target) ? {status: 'address', target} : refused(notListed(target), target);
}

/** A tunnel. Never to where plain HTTP is spoken: what goes through a tunnel cannot be seen, and nothing is uploaded over it (G4). */
export function tunnelRuling({url = '', headers}: IncomingMessage, {tunnels, downloads}: AllowList): Ruling<Target> {
	const target = parseAuthority(url);
	if (!target) return refused(malformed('CONNECT needs HOST:PORT, such as CONNECT www.ibm.com:443, with nothing around it.'));
	if (hasBody(headers)) return refused(malformed('CONNECT has no body: what is to be sent follows the answer.'), target);
	if (target.port !== 80 && onList(target, downloads).status !== 'passes') return onList(target, tunnels);
	const text = `CONNECT to port ${target.port} does not pass: plain HTTP is for configuration updates only. Ask with GET http://HOST/, or connect to 443.`;
	return forbidden('port', text, target);
}

/** Of the path of a configuration update: there is no room for anybody's data in it. */
const longestPath = 256;

/** A request in absolute form: only a GET or HEAD without a body, over plain HTTP, of a configuration update (S72). */
export function downloadRuling(request: IncomingMessage, {tunnels, downloads}: AllowList): Ruling<AbsoluteTarget> {
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
	if (target.path.includes('?') || target.path.length > longestPath) {
		const text = `A question can carry an upload: over plain HTTP only a path of at most ${longestPath} characters without "?" passes.`;
		return forbidden('upload_over_http', text, target);
	}
	const ruling = onList(target, downloads);
	if (ruling.status === 'passes' || onList(target, tunnels).status !== 'passes') return ruling;
	return forbidden('port', `Plain HTTP does not pass to port ${target.port} of ${target.host}: use CONNECT.`, target);
}

/** Whether a request is anything but a question. */
const uploads = ({method, headers}: IncomingMessage): boolean => (method !== 'GET' && method !== 'HEAD') || hasBody(headers);

const hasBody = (headers: IncomingMessage['headers']): boolean =>
	headers['transfer-encoding'] !== undefined || !/^0*$/.test(headers['content-length'] ?? '');
