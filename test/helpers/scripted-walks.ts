import {setTimeout as pause} from 'node:timers/promises';
import type {Stage, StageResult} from '../../src/attempt.ts';
import {type Destination, type Purpose, type Server, traffics} from '../../src/destination.ts';
import {BridgeError, type BridgeErrorCode} from '../../src/errors.ts';
import type {ExaminedConnection} from '../../src/sending/doctor/diagnosis.ts';
import type {Walk, WalkTarget} from '../../src/sending/walk.ts';

/** Walks that go as the test says, for what is arithmetic. */

export const serverOf = (host: string, rest: Partial<Server> = {}): Server => ({
	host,
	ports: [443],
	addresses: [],
	path: '/connect/api/v1',
	...rest,
});

export const destinationOf = (purpose: Purpose, ...servers: readonly Server[]): Destination => ({
	purpose,
	generation: 'today',
	servers,
});

export const passed = (stage: Stage, peer: string, rest: Partial<StageResult> = {}): StageResult => ({
	stage,
	peer,
	startedAt: 1000,
	duration: 3,
	...rest,
});

export const failed = (stage: Stage, peer: string, code: BridgeErrorCode, message: string, options?: ErrorOptions) =>
	passed(stage, peer, {error: new BridgeError(code, message, options)});

export const systemError = (code: string): Error => Object.assign(new Error(`connect ${code}`), {code});

const peerOf = ({host, port}: WalkTarget) => `${host}:${port}`;

/** A direct way on which all goes well; the name leads to 192.0.2.7. */
export function goesWell(target: WalkTarget): readonly StageResult[] {
	const address = target.address ?? '192.0.2.7';
	const stages = [
		...(target.address === undefined ? [passed('name', target.host, {detail: '192.0.2.7, 192.0.2.8'})] : []),
		passed('connection', peerOf(target), {detail: `${address}:${target.port}`}),
		passed('tls', peerOf(target), {detail: 'TLSv1.3, certificate from "CN=Test"'}),
	];
	if (!target.probe) return stages;
	return [...stages, passed('http', peerOf(target), {detail: 'HTTP status 200'}), passed('application', peerOf(target))];
}

/** Through a proxy, which resolves the names. */
export function goesWellThrough(proxy: string) {
	return (target: WalkTarget): readonly StageResult[] => [
		passed('connection', proxy, {detail: '192.0.2.99:3128'}),
		passed('proxy', proxy),
		...goesWell({...target, address: target.address ?? target.host}).slice(1),
	];
}

export const dropped = (target: WalkTarget) => [
	...(target.address === undefined ? [passed('name', target.host, {detail: '192.0.2.7'})] : []),
	failed('connection', peerOf(target), 'ERR_CONNECTION_TIMEOUT', `${peerOf(target)} does not answer within 5000 ms.`),
];

export type Script = (target: WalkTarget) => readonly StageResult[];
export type Walked = WalkTarget & {readonly connection: string};

/** A connection that walks as the script says, after a while if one is given. */
export function connectionOf(
	name: string,
	script: Script,
	rest: Partial<ExaminedConnection> & {
		readonly millis?: (target: WalkTarget) => number;
		readonly onWalk?: (target: WalkTarget) => void;
	} = {},
): ExaminedConnection {
	const {millis, onWalk, ...given} = rest;
	const walk: Walk = async (target, signal) => {
		onWalk?.(target);
		if (millis) await pause(millis(target), undefined, {signal}).catch(() => {});
		return script(target);
	};
	return {name, kind: name.startsWith('proxy') ? 'proxy' : 'direct', traffic: traffics, walk, ...given};
}

export const never = new AbortController().signal;
