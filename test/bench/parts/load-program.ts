import {type ChildProcess, fork} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import type {Shape} from './bodies.ts';
import type {Made, Order, Sent} from './load.ts';

export type Load = {
	/** Makes so many requests, which it holds until it makes others. The alerts in them are new. */
	make(shape: Shape, count: number): Promise<Made>;
	/** Sends them all, each connection one after the other, and throws when one is not answered with 200. */
	send(to: URL, connections: number): Promise<Sent>;
};

/** A process that sends requests, so that making and sending them costs neither the server nor the benchmark. */
export function startLoad(t: ExecutionContext): Load {
	const child = fork(join(import.meta.dirname, 'load.ts'), {execArgv: []});
	t.teardown(() => child.kill());
	let first = 0;
	return {
		async make(shape, count) {
			const made = (await ask(child, {make: shape, first, count})) as Made;
			first += made.alerts;
			return made;
		},
		async send(to, connections) {
			const sent = (await ask(child, {sendTo: to.origin, connections})) as Sent;
			if (sent.failed > 0) throw new Error(`${sent.failed} requests were not answered with 200: ${sent.failure}`);
			return sent;
		},
	};
}

async function ask(child: ChildProcess, order: Order): Promise<unknown> {
	const ended = new AbortController();
	const answered = once(child, 'message', {signal: ended.signal});
	const died = once(child, 'exit', {signal: ended.signal}).then(([code]) => {
		throw new Error(`the load process ended with ${code}`);
	});
	child.send(order);
	try {
		const [answer] = await Promise.race([answered, died]);
		return answer;
	} finally {
		died.catch(() => {});
		ended.abort();
	}
}
