import {type AddressInfo, createServer} from 'node:net';

/** Sends as many megabytes as the first line of a client says, and closes. Tells its port to the process that started it. */
const block = Buffer.alloc(1_000_000, 'x');

const server = createServer({noDelay: true}, socket => {
	socket
		.on('error', () => {})
		.once('data', line => {
			let left = Number(line.toString());
			const more = () => {
				while (left > 0 && !socket.destroyed) {
					left--;
					if (!socket.write(block)) return void socket.once('drain', more);
				}
				socket.end();
			};
			more();
		});
}).listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
