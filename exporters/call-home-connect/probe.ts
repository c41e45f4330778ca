import {BridgeError} from '../../src/errors.ts';
import type {Reply} from '../../src/exporter.ts';
import type {CallHomeConnectOptions} from './config.ts';
import {fieldOf, parsed} from './json.ts';
import {whatCame} from './not-ibm.ts';
import {oneLine} from './text.ts';

/** What the answer says of the service, beside the error when it is not the one that was looked for. */
export type Judgment = {readonly detail?: string; readonly warning?: string; readonly error?: BridgeError};

const serviceName = 'ibm_callhome_connect';

/**
Asks whether IBM's call home service answers, with a message of which it can make nothing: no key, no customer, no system. It is
refused as malformed, and only the service itself refuses it in this form.
*/
export function probeOf({endpoint}: Pick<CallHomeConnectOptions, 'endpoint'>) {
	return {
		method: 'POST' as const,
		path: `${endpoint.pathname}${endpoint.search}`,
		headers: {accept: 'application/json', 'content-type': 'application/json'},
		body: '{}',
		judge: (reply: Reply) => judge(reply, endpoint.host),
	};
}

function judge(reply: Reply, host: string): Judgment {
	const {statusCode} = reply;
	const body = parsed(reply.body);
	if (statusCode === 407) return {error: loginWanted(reply, host)};
	if (statusCode === 408 || statusCode === 429 || statusCode >= 500) return {error: notNow(reply, host)};
	if (isRefusal(body)) return {detail: "IBM's call home service answered (message refused as malformed, as expected)"};
	if (fieldOf(body, 'service') === serviceName) return {detail: `IBM's call home service answered (HTTP status ${statusCode})`};
	if (statusCode >= 400 && isObject(body)) return {warning: otherRefusal(reply, host)};
	return {error: notIbm(reply, host)};
}

/** Public clients read the namespace below `body`; ours has read it at the top, too. */
const isRefusal = (body: unknown): boolean =>
	[fieldOf(body, 'body', 'env', 'namespace'), fieldOf(body, 'env', 'namespace')].some(
		namespace => typeof namespace === 'string' && namespace !== '',
	);
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

const shown = (reply: Reply): string => oneLine(whatCame(reply), 500);

const loginWanted = (reply: Reply, host: string): BridgeError =>
	new BridgeError('ERR_NOT_IBM', `In place of ${host} a proxy on the way asks for a login (407): ${shown(reply)}.`);

const notNow = (reply: Reply, host: string): BridgeError =>
	new BridgeError('ERR_SUBMISSION_DEFERRED', `${host} answered ${reply.statusCode}, which means "not now": ${shown(reply)}.`);

const notIbm = (reply: Reply, host: string): BridgeError =>
	new BridgeError('ERR_NOT_IBM', `In place of IBM's call home service, ${shown(reply)} came from ${host}.`);

/** How the service answers on other levels is not public. The certificate is the host's, and the JSON not its usual one. */
const otherRefusal = (reply: Reply, host: string): string =>
	`${host} answered with JSON that does not name IBM's call home service: ${shown(reply)}. Send a test problem to be sure.`;
