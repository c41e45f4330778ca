import type {RequestListener} from 'node:http';
import type {Socket} from 'node:net';
import {createHttpListener} from '../../http-listener.ts';
import type {SourceParts} from '../../source.ts';
import type {CimConfig} from './config.ts';

/** The HTTP or HTTPS server of the listener. */
export function createListener(config: CimConfig, answer: RequestListener, log: SourceParts['log']) {
	const limits = {
		connections: config.max_connections,
		headersMillis: 10_000,
		requestMillis: 30_000,
		requireHostHeader: false,
	};
	const listener = createHttpListener('receivers.cim', config, limits);
	listener.server.keepAliveTimeout = 30_000;
	listener.server.on('request', answer).on('clientError', answerUnreadable);
	return {
		...listener,
		async start() {
			await listener.start();
			listener.server.on('error', error => log('error', `CIM listener: ${error.message}`));
		},
	};
}

/** Node does not read M-POST, the method of older senders: told that it is not implemented, they go on with POST. */
function answerUnreadable(error: Error & {rawPacket?: Buffer}, socket: Socket): void {
	if (!socket.writable) return void socket.destroy();
	const isMPost = error.rawPacket?.subarray(0, 7).toString('latin1') === 'M-POST ';
	const status = isMPost ? '501 Not Implemented' : '400 Bad Request';
	socket.end(`HTTP/1.1 ${status}\r\nCIMExport: MethodResponse\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
}
