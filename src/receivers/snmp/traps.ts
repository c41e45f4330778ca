import {randomBytes} from 'node:crypto';
import type {Component} from '../../component.ts';
import type {SourceParts} from '../../source.ts';
import {createClients, plainAddress} from './clients.ts';
import type {TrapsConfig} from './config.ts';
import {createDecode, type Decoded} from './decode.ts';
import {dropsOf} from './drops.ts';
import {createTrapIntake} from './intake.ts';
import {createLosses} from './losses.ts';
import {createRefusalLog} from './refusal-log.ts';
import {openTrapSocket, type TrapSocket} from './socket.ts';
import {createTally} from './tally.ts';
import {type Known, trapEvent} from './trap-event.ts';

export type TrapReceiver = Component & {
	/** The port that it listens on; undefined before and after. */
	readonly port: number | undefined;
};

const source = 'snmp/traps';
const engineIdMark = 'snmp/engine-id';
const dropsMillis = 5000;

/** Takes traps and informs. Whoever sends an inform is answered when it is on disk. */
export function createTrapReceiver(config: TrapsConfig, parts: SourceParts, known?: Known): TrapReceiver {
	const {consume, marks, onTarget, log, now = Date.now, random = Math.random} = parts;
	const {endpoint, clients, receive_buffer: receiveBuffer, queue_size: mostWaiting} = config;
	const isClient = createClients(clients);
	const count = createTally();
	const losses = createLosses({log, onTarget, now, source});
	const sayRefused = createRefusalLog(log, now);
	let socket: TrapSocket | undefined;
	let watch: NodeJS.Timeout | undefined;
	let intake: ReturnType<typeof createTrapIntake> | undefined;

	/** Kept across restarts: senders of informs remember the engine that they send to. */
	async function engineId(): Promise<string> {
		const kept = await marks.read(engineIdMark);
		if (kept !== undefined && /^[0-9a-f]{10,64}$/.test(kept)) return kept;
		const made = `8000b98380${randomBytes(12).toString('hex')}`; // As net-snmp for Node makes them (RFC 3411, section 5).
		await marks.write(engineIdMark, made);
		return made;
	}

	async function start(): Promise<void> {
		const decode = createDecode(config, await engineId(), now);
		const admitted = (bytes: Buffer, address: string): Decoded =>
			isClient(plainAddress(address)) ? decode(bytes, plainAddress(address)) : {kind: 'refused', reason: 'client_not_allowed'};
		const made = createTrapIntake({
			consume,
			decode: admitted,
			toEvent: trap => trapEvent(trap, now(), known),
			send: (bytes, to) => socket?.send(bytes, to),
			settled: number => socket?.settled(number),
			onOutcome(outcome, number, why) {
				count(outcome, number);
				if (outcome === 'lost') losses.lost(number, why);
			},
			onRefused: (reason, {address}) => sayRefused(reason, plainAddress(address)),
			onStore: losses.store,
			random,
		});
		intake = made;
		const events = {
			onDatagrams(datagrams: Parameters<typeof made.offer>[0], overflowed: number) {
				if (overflowed > 0) {
					count('lost', overflowed);
					losses.lost(overflowed, `receivers.snmp.traps.queue_size (${mostWaiting}) traps waited for the disk already`);
				}
				made.offer(datagrams);
			},
			onEnd: (error: Error) => onTarget({source, target: '', state: 'stopped', reason: `${error.message}: restart the bridge`}),
		};
		socket = await openTrapSocket({...endpoint, receiveBuffer, mostWaiting}, events);
		log('info', `SNMP traps are taken at ${socket.address}:${socket.port}`);
		// The kernel counts its own bookkeeping too, and so tells twice what it was asked for.
		if (socket.receiveBuffer < receiveBuffer)
			log('warn', `SNMP traps: the kernel holds ${socket.receiveBuffer} bytes, not ${receiveBuffer}: raise net.core.rmem_max`);
		losses.begin();
		watch = setInterval(look, dropsMillis).unref();
	}

	let dropped = 0;
	async function look(): Promise<void> {
		const drops = socket && (await dropsOf(socket.address, socket.port));
		if (drops !== undefined && drops > dropped) {
			count('lost', drops - dropped);
			losses.lost(
				drops - dropped,
				'the kernel had no room for them: raise receivers.snmp.traps.receive_buffer and net.core.rmem_max',
			);
			dropped = drops;
		}
		losses.look();
	}

	async function shutdown(): Promise<void> {
		clearInterval(watch);
		if (socket) await look();
		await intake?.close();
		await socket?.close();
		socket = undefined;
	}

	return {
		name: 'SNMP trap receiver',
		start,
		shutdown,
		get port() {
			return socket?.port;
		},
	};
}
