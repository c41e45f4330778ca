import {connect, createServer} from 'node:net';

/** `relay.ts PORT SOCKET`, within a network namespace: whoever connects to the socket in the file system talks to the port. */
const [port, socket] = process.argv.slice(2);
createServer(outside => {
	const inside = connect(Number(port), '127.0.0.1');
	outside.on('error', () => inside.destroy()).pipe(inside);
	inside.on('error', () => outside.destroy()).pipe(outside);
}).listen(socket);
