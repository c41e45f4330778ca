import {createSocket} from 'node:dgram';
import {setTimeout as pause} from 'node:timers/promises';
import {immAlertVarbinds, immRoot, notification} from '../../helpers/snmp.ts';

/** A process that sends traps, so that making and sending them costs neither the receiver nor the benchmark. */
export type TrapOrder = {
	readonly port: number;
	readonly count: number;
	/** A second; without it as fast as they can be sent. */
	readonly rate?: number;
	/** The machines that they are about. */
	readonly machines: number;
	/** Sets the traps of this order apart from those of others. */
	readonly round: number;
};

function datagrams({count, machines, round}: TrapOrder): Buffer[] {
	const today = new Date();
	const date = `${today.getUTCMonth() + 1}/${today.getUTCDate()}/${today.getUTCFullYear()}`;
	return Array.from({length: count}, (_, number) => {
		const machine = String(number % machines).padStart(5, '0');
		const time = `${date}, ${today.toISOString().slice(11, 19)}`;
		const varbinds = immAlertVarbinds({
			1: ['s', time],
			5: ['s', `D9A1F3C2D5E811E08B7A5CF3FC3${machine}`],
			6: ['s', `B${machine}`],
			9: ['s', `The Drive "Drive 3" has been disabled due to a detected fault (${round}.${number}).`],
		});
		return notification(`${immRoot}.0.5`, varbinds, {id: number + 1});
	});
}

export type TrapsSent = {
	/** Unix milliseconds of the first one: making them takes its time. */
	readonly startedAt: number;
	/** Of one datagram. */
	readonly bytes: number;
};

async function send(order: TrapOrder): Promise<TrapsSent> {
	const made = datagrams(order);
	const socket = createSocket({type: 'udp4', sendBufferSize: 4 * 1024 ** 2});
	const {port, rate} = order;
	const startedAt = Date.now();
	const start = performance.now();
	for (let sent = 0; sent < made.length; ) {
		const due = rate === undefined ? made.length : Math.min(made.length, Math.ceil(((performance.now() - start) / 1000) * rate));
		const slice = made.slice(sent, Math.min(due, sent + 500));
		await Promise.all(slice.map(one => new Promise<void>(resolve => socket.send(one, port, '127.0.0.1', () => resolve()))));
		sent += slice.length;
		if (sent >= due) await pause(2);
	}
	socket.close();
	return {startedAt, bytes: made[0]?.length ?? 0};
}

process.on('message', async (order: TrapOrder) => process.send?.(await send(order)));
