import {BridgeError} from '../../src/errors.ts';
import type {Reply} from '../../src/exporter.ts';
import type {Answer, Outcome} from '../../src/outcome.ts';
import {redact, type Secret} from '../../src/secret.ts';
import {entriesOf, errorTextIn, fieldOf, itemsOf, parsed} from './json.ts';
import {whatCame} from './not-ibm.ts';
import {retryAfterMillis} from './retry-after.ts';
import {oneLine} from './text.ts';

export type Asked = {
	/** The event that was sent. */
	readonly transactionId: string;
	/** Host of the endpoint, for the messages. */
	readonly destination: string;
	/** IBM's replies repeat the keys. */
	readonly secrets: readonly Secret[];
	readonly now: number;
};

const serviceName = 'ibm_callhome_connect';
const longestText = 1000;

/**
What IBM's reply means. HTTP 200 alone means nothing: a portal answers with it, and IBM refuses with it. In this order:
not now (408, 429, 5xx), not IBM, refused as a whole, refused by a return code, accepted.
*/
export function readReply(reply: Reply, asked: Asked): Outcome {
	const body = parsed(reply.body);
	if (isNotNow(reply.statusCode)) return notNow(reply, asked, `answered ${reply.statusCode}${saying(body, asked)}`);
	if (isText(fieldOf(body, 'env', 'namespace'))) {
		return rejected(asked, `refused the message as malformed${saying(body, asked)}`);
	}
	if (fieldOf(body, 'service') !== serviceName) return notIbm(reply, asked);
	if (reply.statusCode >= 400) return rejected(asked, `refused the message with ${reply.statusCode}${saying(body, asked)}`);
	return judged(reply, body, asked);
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isNotNow = (statusCode: number) => statusCode === 408 || statusCode === 429 || statusCode >= 500;

/** IBM read the message: the return code of the transaction decides, then that of each event. */
function judged(reply: Reply, body: unknown, asked: Asked): Outcome {
	const codes = [
		fieldOf(body, 'transaction', 'rc') ?? 'none',
		...itemsOf(fieldOf(body, 'events')).map(event => fieldOf(event, 'header', 'rc') ?? 200),
	];
	const failed = codes.find(code => numberOf(code) !== 200);
	if (failed === undefined) return {status: 'acknowledged', reference: asked.transactionId, answers: answersIn(body, asked)};
	const code = typeof failed === 'string' || typeof failed === 'number' ? shown(String(failed), asked, 40) : 'unreadable';
	const message = `did not accept the message, return code ${code}${saying(body, asked)}`;
	return numberOf(failed) >= 500 ? notNow(reply, asked, message) : rejected(asked, message);
}

/** Not a number is NaN. Number() alone throws on an object that has been given a `valueOf`. */
const numberOf = (value: unknown) => (typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN);

/** What IBM has answered to this and to earlier events. */
function answersIn(body: unknown, asked: Asked): readonly Answer[] {
	return entriesOf(fieldOf(body, 'response_state', 'transactions')).map(([transactionId, transaction]) => {
		const said = fieldOf(transaction, 'response_object');
		const caseNumber = caseNumberOf(fieldOf(said, 'problem_id'));
		const error = errorTextIn(said);
		const expiresAt = numberOf(fieldOf(transaction, 'expiry')); // Never the inner object's: it is not the answer's.
		return {
			transactionId,
			...(caseNumber !== undefined && {caseNumber}),
			...(error !== undefined && {error: shown(error, asked, longestText)}),
			...(expiresAt > 0 && Number.isFinite(expiresAt) && {expiresAt}),
		};
	});
}

/** TS and digits, or whatever else IBM calls a case, as long as a person can read it. */
function caseNumberOf(value: unknown): string | undefined {
	const text = typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? String(value) : value;
	if (typeof text !== 'string') return undefined;
	const trimmed = text.length <= 200 ? text.trim() : '';
	return /^[\x20-\x7e]{1,64}$/.test(trimmed) ? trimmed : undefined;
}

/** Somebody else's words, fit for a message of ours. */
const shown = (text: string, {secrets}: Asked, max: number) => oneLine(redact(text.slice(0, 50_000), secrets), max);

/** `: ` and the reason that IBM gives for this message, if it gives one. The answers to others are not about it. */
function saying(body: unknown, asked: Asked): string {
	const aboutThis = Object.fromEntries(entriesOf(body).filter(([name]) => name !== 'response_state'));
	const text = errorTextIn(aboutThis) ?? fieldOf(body, 'message') ?? fieldOf(body, 'env', 'message');
	return isText(text) ? `: ${shown(text, asked, longestText)}` : '';
}

function rejected({destination}: Asked, what: string): Outcome {
	const error = new BridgeError('ERR_SUBMISSION_REJECTED', `${destination} ${what}. Correct what it names, then send it again.`);
	return {status: 'rejected', error};
}

/** After a 5xx nobody knows how far the message came; after a 429 it is known. */
function notNow(reply: Reply, {destination, now}: Asked, what: string): Outcome {
	const wait = retryAfterMillis(reply.headers['retry-after'], now);
	return {
		status: 'deferred',
		error: new BridgeError('ERR_SUBMISSION_DEFERRED', `${destination} ${what}. It is sent again later.`),
		...(wait !== undefined && {retryAfterMillis: wait}),
		...(reply.statusCode !== 429 && {uncertain: true}),
	};
}

function notIbm(reply: Reply, asked: Asked): Outcome {
	if (isCutShort(reply)) {
		const message = `${asked.destination} answered with JSON that breaks off: whether it took the message is asked before it is sent again.`;
		return {status: 'deferred', error: new BridgeError('ERR_REPLY_TRUNCATED', message), uncertain: true};
	}
	const clean = {...reply, body: redact(reply.body.slice(0, 65_536), asked.secrets)};
	const message =
		`In place of IBM's call home service, ${shown(whatCame(clean), asked, 500)} came from ${asked.destination}. ` +
		'A proxy, a portal or a TLS inspection answers there: let the host pass it untouched.';
	return {status: 'unreachable', error: new BridgeError('ERR_NOT_IBM', message)};
}

/** IBM's own reply without its end, when nothing announced its length: IBM may have taken the message. */
const isCutShort = ({statusCode, body}: Reply) =>
	statusCode < 300 && body.trimStart().startsWith('{') && body.includes(`"${serviceName}"`) && parsed(body) === undefined;
