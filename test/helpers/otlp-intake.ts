import {once} from 'node:events';
import {connect, type Socket} from 'node:net';
import type {ExecutionContext} from 'ava';
import {Client} from 'undici';
import type {z} from 'zod';
import {BridgeError} from '../../src/errors.ts';
import type {Consume, Decision, HardwareEvent} from '../../src/event.ts';
import {otlpReceiverSchema} from '../../src/receivers/otlp/config.ts';
import type {Encoding, Reader, Signal} from '../../src/receivers/otlp/reading.ts';
import {createOtlpReceiver, type OtlpReceiverParts} from '../../src/receivers/otlp/server.ts';

export const event = (id: string): HardwareEvent => ({
	id,
	name: 'callhome.hardware.alert',
	occurredAt: 0,
	receivedAt: 0,
	severity: 17,
	message: '',
	resource: {},
	attributes: {},
	source: 'otlp/logs',
});

export type Body = {readonly selected?: readonly string[]; readonly filtered?: number; readonly malformed?: number};

/** A body for `bodyReader`. The readers of OTLP have tests of their own. */
export const bodyOf = (body: Body): Buffer => Buffer.from(JSON.stringify(body));

/** Reads what `bodyOf` wrote, whatever the encoding. */
const bodyReader: Reader = body => {
	try {
		const {selected = [], filtered = 0, malformed = 0}: Body = JSON.parse(Buffer.from(body).toString());
		return {
			records: selected.length + filtered + malformed,
			malformed,
			malformedMessage: malformed > 0 ? 'the first has no value' : '',
			events: selected.map(event),
		};
	} catch (cause) {
		throw new BridgeError('ERR_MALFORMED', 'not a request', {cause});
	}
};

const both = (reader: Reader): Record<Encoding, Reader> => ({protobuf: reader, json: reader});
export const readersOf = (reader: Reader): Record<Signal, Record<Encoding, Reader>> => ({
	logs: both(reader),
	metrics: both(reader),
	traces: both(reader),
});

export type Config = z.input<typeof otlpReceiverSchema>;

/** A receiver on a free port, closed when the test ends, and all that it consumed, counted and logged. */
export async function startIntake(t: ExecutionContext, config: Config = {}, parts: Partial<OtlpReceiverParts> = {}) {
	const consumed: string[] = [];
	const logged: string[] = [];
	const counted: Record<string, number> = {};
	const consume: Consume = async events => {
		consumed.push(...events.map(({id}) => id));
		return events.map((): Decision => 'first');
	};
	const counter: OtlpReceiverParts['instruments']['intakeRecords'] = {
		add(value, attributes = {}) {
			const key = `${attributes['callhome.intake.signal']} ${attributes['callhome.intake.outcome']}`;
			counted[key] = (counted[key] ?? 0) + value;
		},
	};
	const receiver = createOtlpReceiver(otlpReceiverSchema.parse({endpoint: '127.0.0.1:0', ...config}), {
		readers: readersOf(bodyReader),
		consume,
		instruments: {intakeRecords: counter},
		log: (level, text) => void logged.push(`${level}: ${text}`),
		...parts,
	});
	t.teardown(() => receiver.shutdown());
	await receiver.start();
	return {receiver, url: receiver.url(), consumed, logged, counted};
}

export type Reply = {
	readonly statusCode: number;
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
	readonly body: Buffer;
};
type Request = {
	readonly path?: string;
	readonly method?: string;
	readonly type?: string;
	readonly headers?: Record<string, string>;
	readonly body?: Buffer | string;
};

/** One request on a connection of its own. */
export async function post(url: URL, request: Request = {}): Promise<Reply> {
	const {path = '/v1/logs', method = 'POST', type = 'application/json', headers = {}, body = ''} = request;
	const client = new Client(url);
	try {
		const reply = await client.request({path, method: method as 'POST', headers: {'content-type': type, ...headers}, body});
		return {...reply, body: Buffer.from(await reply.body.arrayBuffer())};
	} finally {
		await client.destroy();
	}
}

/** A bare connection, for what no HTTP client would send. */
export async function converse(t: ExecutionContext, url: URL) {
	const socket: Socket = connect(Number(url.port), url.hostname);
	t.teardown(() => socket.destroy());
	await once(socket, 'connect');
	let received = '';
	socket.on('data', chunk => {
		received += chunk.toString('latin1');
	});
	socket.on('error', () => undefined);
	const closed = new Promise<void>(resolve => socket.once('close', () => resolve()));
	return {socket, closed, received: () => received};
}

/** Head of a POST to /v1/logs. */
export const head = (...headers: readonly string[]): string =>
	['POST /v1/logs HTTP/1.1', 'Host: bridge', 'Content-Type: application/json', ...headers, '', ''].join('\r\n');
