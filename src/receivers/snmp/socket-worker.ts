import {createSocket, type RemoteInfo} from 'node:dgram';
import {parentPort, workerData} from 'node:worker_threads';
import type {FromSocket, SocketWorkerData, ToSocket} from './socket.ts';

/**
The thread that empties the kernel's buffer. It does nothing else, so that a burst does not wait for the disk or for the
decoding of the one before it. What has arrived since the last turn goes on together.
*/
const {host, port, receiveBuffer, mostWaiting} = workerData as SocketWorkerData;
const parent = parentPort;
const tell = (message: FromSocket, transfer: ArrayBuffer[] = []) => parent?.postMessage(message, transfer);

const socket = createSocket({type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: receiveBuffer, reuseAddr: false});
let arrived: {bytes: Buffer; from: RemoteInfo}[] = [];
let waiting = 0;
let overflowed = 0;

socket.on('message', (bytes, from) => {
	if (waiting >= mostWaiting) overflowed++;
	else {
		waiting++;
		arrived.push({bytes, from});
	}
	if (arrived.length + overflowed === 1) setImmediate(passOn);
});

function passOn(): void {
	const bytes = new Uint8Array(arrived.reduce((sum, one) => sum + one.bytes.length, 0));
	let at = 0;
	const datagrams = arrived.map(({bytes: one, from}) => {
		bytes.set(one, at);
		at += one.length;
		return {end: at, address: from.address, port: from.port};
	});
	tell({kind: 'arrived', bytes, datagrams, overflowed}, [bytes.buffer]);
	arrived = [];
	overflowed = 0;
}

socket.on('error', error => tell({kind: 'failed', message: error.message}));

parent?.on('message', (message: ToSocket) => {
	if (message.kind === 'settled') waiting -= message.count;
	// Who is not answered asks again: a failed answer is nothing to stop for.
	if (message.kind === 'send') socket.send(message.bytes, message.port, message.address, () => {});
	if (message.kind === 'close') socket.close(() => parent?.close());
});

socket.bind({port, address: host, exclusive: true}, () => {
	tell({kind: 'listening', ...socket.address(), receiveBuffer: socket.getRecvBufferSize()});
});
