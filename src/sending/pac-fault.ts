import {BridgeError} from '../errors.ts';

/** A PAC file that is of no use. `what` goes on from its name: "is not JavaScript". */
export function pacFault(place: string, what: string, cause?: unknown): BridgeError {
	const message = `The PAC file ${place} ${what}. Correct it, or name the proxy itself with proxy: {url: …}.`;
	return new BridgeError('ERR_PAC', message, {cause, hop: 'proxy'});
}

/** The attempt's own time, or the bridge's, is up before the PAC file has said anything. */
export function pacGivenUp(place: string, reason: unknown): BridgeError {
	const isLate = reason instanceof Error && reason.name === 'TimeoutError';
	const message = isLate
		? `The PAC file ${place} gave no answer within the time for the attempt. Check whether it can be fetched, and how long it runs.`
		: `The question to the PAC file ${place} was given up before anything was sent.`;
	return new BridgeError('ERR_CONNECTION_TIMEOUT', message, {cause: reason, hop: 'proxy'});
}
