import {Client} from 'undici';
import {type Bodies, createBodies, type Shape} from './bodies.ts';

/** What the load process does when it is told: make requests and keep them, or send what it made. */
export type Order =
	| {readonly make: Shape; readonly first: number; readonly count: number}
	| {readonly sendTo: string; readonly connections: number};

export type Made = Pick<Bodies, 'alerts' | 'records'>;
export type Sent = {
	readonly seconds: number;
	/** Milliseconds from request to answer, of each request. */
	readonly latencies: readonly number[];
	/** How many answers were not 200, and the first of them. */
	readonly failed: number;
	readonly failure: string;
};

let made: Bodies = {bodies: [], headers: {}, alerts: 0, records: 0};

function make(shape: Shape, first: number, count: number): Made {
	made = createBodies(shape, first, count);
	return {alerts: made.alerts, records: made.records};
}

/** Each connection sends its next request when its last one is answered. */
async function send(url: string, connections: number): Promise<Sent> {
	const {bodies, headers} = made;
	const latencies: number[] = [];
	let failed = 0;
	let failure = '';
	let next = 0;

	async function sendOn(client: Client) {
		while (next < bodies.length) {
			const body = bodies[next++] ?? '';
			const start = performance.now();
			const response = await client.request({path: '/v1/logs', method: 'POST', headers, body});
			const text = await response.body.text();
			latencies.push(performance.now() - start);
			if (response.statusCode === 200) continue;
			failed++;
			failure ||= `${response.statusCode} ${text.slice(0, 200)}`;
		}
	}

	const clients = Array.from({length: connections}, () => new Client(url));
	const start = performance.now();
	await Promise.all(clients.map(sendOn));
	const seconds = (performance.now() - start) / 1000;
	await Promise.all(clients.map(client => client.close()));
	return {seconds, latencies, failed, failure};
}

process.on('message', async (order: Order) => {
	process.send?.('make' in order ? make(order.make, order.first, order.count) : await send(order.sendTo, order.connections));
});
process.on('disconnect', () => process.exit());
