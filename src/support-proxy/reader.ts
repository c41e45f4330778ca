import {Socket, type SocketConstructorOpts} from 'node:net';

/** Takes what was read; the bytes are good until it returns, or until `done` was called when it answers false. */
export type Take = (chunk: Buffer, done: () => void) => boolean;

type Handle = {reading?: unknown; readStop?: () => number};
type WithHandle = {_handle: Handle | null};

/** As much as the kernel hands over at once on a fast connection, and little enough to stay in the processor's cache. */
const bufferSize = 128 * 1024;

/** Only so many buffers are in use at once: 32 MiB. Sockets beyond them go on as they are. */
const mostBuffers = 256;
let buffers = 0;

/** Whether nothing is under way on a socket: nothing read that was not taken, nothing written that was not sent. */
const isQuiet = (socket: Socket): boolean =>
	!socket.destroyed && !socket.readableEnded && socket.readableLength === 0 && socket.writableLength === 0 && socket.writable;

/**
The same connection as another socket that reads into one buffer again and again, which makes a byte cost a third. Node offers
that (`onread`) for sockets that it dials, not for those that it accepts, so the connection's handle moves to a new socket.
Undefined, and nothing has changed, where that cannot be: TLS, data under way, a Node that keeps its handles elsewhere.
The old socket closes when the new one does, for those who listen to it.
*/
export function withOneBuffer(old: Socket, take: Take): Socket | undefined {
	const holder = old as unknown as WithHandle;
	const handle = holder._handle;
	if (old.constructor !== Socket || handle?.constructor.name !== 'TCP' || !isQuiet(old) || buffers >= mostBuffers)
		return undefined;
	if (typeof handle.readStop !== 'function' || typeof handle.reading !== 'boolean') return undefined;
	handle.readStop();
	handle.reading = false;
	holder._handle = null;
	const options = {handle, allowHalfOpen: true, onread: {buffer: Buffer.allocUnsafeSlow(bufferSize), callback}};
	const socket = new Socket(options as unknown as SocketConstructorOpts);
	function callback(length: number, buffer: Uint8Array): boolean {
		return take((buffer as Buffer).subarray(0, length), () => socket.resume());
	}
	buffers++;
	return socket.once('close', () => {
		buffers--;
		old.destroy();
	});
}
