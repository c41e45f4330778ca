import type {Socket} from 'node:net';
import type {buildConnector} from 'undici';

/**
Gives an undici client a socket that is open already, once: a client that asks for a second one has lost the first, and
what it was to carry is not to be sent again unasked. Not before the call has returned: the client would wait forever.
*/
export function over(socket: Socket): buildConnector.connector {
	let given = false;
	return function give(_options, callback) {
		const isGone = given || socket.destroyed;
		given = true;
		queueMicrotask(() => {
			if (isGone) callback(new Error('the connection was closed before the request was written'), null);
			else callback(null, socket);
		});
	};
}

/**
What undici says when the other side does not speak HTTP, without the bytes that came: undici keeps them in the error, and
there may be a key among them (G6). Undefined for any other error.
*/
export const notHttp = (error: Error): Error | undefined =>
	error.name === 'HTTPParserError' ? new Error(error.message) : undefined;
