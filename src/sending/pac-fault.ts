import {BridgeError} from '../errors.ts';

/** A PAC file that is of no use. `what` goes on from its name: "is not JavaScript". */
export function pacFault(place: string, what: string, cause?: unknown): BridgeError {
	const message = `The PAC file ${place} ${what}. Correct it, or name the proxy itself with proxy: {url: …}.`;
	return new BridgeError('ERR_PAC', message, {cause, hop: 'proxy'});
}
