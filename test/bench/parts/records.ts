import {create, type MessageInitShape, toBinary} from '@bufbuild/protobuf';
import {type LogRecordSchema, LogsDataSchema} from '../../helpers/otlp/logs_pb.ts';

type LogRecord = MessageInitShape<typeof LogRecordSchema>;
type Value = string | number;

const anyValue = (value: Value) =>
	typeof value === 'string'
		? {value: {case: 'stringValue' as const, value}}
		: {value: {case: 'intValue' as const, value: BigInt(value)}};

const attributesOf = (attributes: {readonly [key: string]: Value}) =>
	Object.entries(attributes).map(([key, value]) => ({key, value: anyValue(value)}));

/** A request of one resource; several of them, one after the other, are a request, too. */
export const encode = (resource: {readonly [key: string]: Value}, logRecords: readonly LogRecord[]): Buffer => {
	const scopeLogs = [{scope: {name: 'bench'}, logRecords: [...logRecords]}];
	const resourceLogs = [{resource: {attributes: attributesOf(resource)}, scopeLogs}];
	return Buffer.from(toBinary(LogsDataSchema, create(LogsDataSchema, {resourceLogs})));
};

/** Numbers that look like chance and are the same each time (mulberry32). */
export function createChance(seed: number): (bound: number) => number {
	let state = seed;
	return function chance(bound) {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
	};
}

const hex = (chance: (bound: number) => number, length: number): string =>
	Array.from({length}, () => chance(16).toString(16)).join('');

/** A line of a web service's log with ten attributes. One in fifty is an error, none is about hardware. */
export function chatter(index: number, chance: (bound: number) => number): LogRecord {
	const isError = index % 50 === 7;
	const path = `/shop/${['basket', 'search', 'item', 'account'][chance(4)]}/${chance(100_000)}`;
	return {
		timeUnixNano: 1_795_435_200_000_000_000n + BigInt(index * 1_000_003),
		observedTimeUnixNano: 1_795_435_200_500_000_000n + BigInt(index * 1_000_003),
		severityNumber: isError ? 17 : 9,
		severityText: isError ? 'ERROR' : 'INFO',
		body: anyValue(`${isError ? 'failed' : 'served'} ${path} after ${chance(3000)} ms for session ${hex(chance, 12)}`),
		attributes: attributesOf({
			'http.request.method': chance(4) === 0 ? 'POST' : 'GET',
			'url.path': path,
			'http.response.status_code': isError ? 502 : 200,
			'client.address': `10.${chance(8)}.${chance(256)}.${chance(256)}`,
			'user_agent.original': `Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/${100 + chance(50)}.0`,
			'session.id': hex(chance, 24),
			'thread.id': chance(64),
			'code.function.name': `Router.${['serve', 'dispatch', 'render'][chance(3)]}`,
			'log.file.name': 'access.log',
			'enduser.id': `user-${chance(20_000)}`,
		}),
		traceId: Buffer.from(hex(chance, 32), 'hex'),
		spanId: Buffer.from(hex(chance, 16), 'hex'),
		flags: 1,
	};
}

/** An alert with ten attributes, too. Its unique id makes it an event of its own; machine and part say what it joins. */
export function alert(number: number, part: number): LogRecord {
	const nanos = BigInt(Date.now()) * 1_000_000n;
	return {
		timeUnixNano: nanos,
		observedTimeUnixNano: nanos,
		severityNumber: 17,
		severityText: 'ERROR',
		eventName: 'callhome.hardware.alert',
		body: anyValue(`Drive ${part} reports a predicted failure`),
		attributes: attributesOf({
			'log.record.uid': `bench-${number.toString().padStart(10, '0')}`,
			'hw.id': `drive-${part}`,
			'hw.type': 'physical_disk',
			'hw.name': `Drive ${part}`,
			'hw.state': 'predicted_failure',
			'hw.vendor': 'IBM',
			'hw.model': 'ST1200MM0009',
			'hw.serial_number': `S4A${part}`,
			'hw.sensor_location': `P1-D${part}`,
			'error.type': 'B7006985',
		}),
	};
}

export const machine = (index: number) => ({
	'host.name': `power${index}.example`,
	'host.id': `9f3c-${index}`,
	'callhome.system.type': '9105',
	'callhome.system.model': '42A',
	'callhome.system.serial_number': `78A${index.toString().padStart(4, '0')}`,
});

export const service = (index: number) => ({
	'service.name': `shop-${index}`,
	'service.instance.id': `shop-${index}-6d9f7c5b8-x2x${index}`,
	'k8s.namespace.name': 'shop',
	'host.name': `node${index}.example`,
});
