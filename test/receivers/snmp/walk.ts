import {createSocket} from 'node:dgram';
import {once} from 'node:events';
import test from 'ava';
import fc from 'fast-check';
import {numberOf, stateOfHealth} from '../../../src/receivers/snmp/readings.ts';
import {type Session, SessionError} from '../../../src/receivers/snmp/session.ts';
import {createV2cTransport} from '../../../src/receivers/snmp/session-v2c.ts';
import type {Varbind} from '../../../src/receivers/snmp/trap.ts';
import {walk} from '../../../src/receivers/snmp/walk.ts';

const entry = '1.3.6.1.4.1.2.3.51.3.1.1.2.1';

/** An agent of so many rows, whose answers hold so many varbinds at the most. */
function agentOf(rows: number, mostVarbinds: number): Session & {readonly asked: number[]} {
	const asked: number[] = [];
	return {
		asked,
		get: async () => [],
		async next(oids, repetitions) {
			asked.push(repetitions);
			if (oids.length > mostVarbinds) throw new SessionError('too_big', 'too big');
			const found: Varbind[] = [];
			for (let step = 1; step <= repetitions; step++)
				for (const oid of oids) {
					const arcs = oid.slice(entry.length + 1).split('.');
					const row = Number(arcs[1] ?? 0) + step;
					const isThere = row <= rows;
					found.push(isThere ? {oid: `${entry}.${arcs[0]}.${row}`, value: row} : {oid: `${entry}.99.1`, value: 0});
				}
			return found.slice(0, mostVarbinds);
		},
		close() {},
	};
}

test('a table is whole, however the agent cuts its answers', async t => {
	await fc.assert(
		fc.asyncProperty(
			fc.nat(60),
			fc.integer({min: 2, max: 50}),
			fc.integer({min: 1, max: 30}),
			async (rows, most, maxRepetitions) => {
				const columns = [`${entry}.2`, `${entry}.3`];
				const table = (await walk(agentOf(rows, most), columns, {maxRepetitions})).get(entry);
				const whole = [...(table ?? new Map()).values()].every(row => row.size === 2);
				return (table?.size ?? 0) === rows && whole;
			},
		),
		{numRuns: 200},
	);
	t.pass();
});

test('an agent for which the answer is too big is asked for less', async t => {
	const columns = [`${entry}.2`, `${entry}.3`];
	const agent = agentOf(5, 1000);
	const picky: Session = {
		...agent,
		next: async (oids, repetitions) => {
			if (repetitions > 3) throw new SessionError('too_big', 'too big');
			return agent.next(oids, repetitions);
		},
	};
	t.is((await walk(picky, columns, {maxRepetitions: 12})).get(entry)?.size, 5);
	t.deepEqual(new Set(agent.asked), new Set([3]));
	const hopeless: Session = {...agent, next: async () => Promise.reject(new SessionError('too_big', 'too big'))};
	await t.throwsAsync(walk(hopeless, columns, {maxRepetitions: 12}), {instanceOf: SessionError});
});

test('an agent that goes round in circles, or never ends, is left', async t => {
	const session = agentOf(1, 10);
	const circle: Session = {...session, next: async () => [{oid: `${entry}.2.7`, value: 1}]};
	await t.throwsAsync(walk(circle, [`${entry}.2`], {maxRepetitions: 1}), {message: /round in circles/});
	let row = 0;
	const endless: Session = {...session, next: async () => [{oid: `${entry}.2.${++row}`, value: 1}]};
	await t.throwsAsync(walk(endless, [`${entry}.2`], {maxRepetitions: 1}), {message: /does not come to an end/});
	t.is((await walk(endless, [`${entry}.2`], {maxRepetitions: 1, mostRows: 3})).get(entry)?.size, 3);
	const silent: Session = {...session, next: async () => []};
	t.is((await walk(silent, [`${entry}.2`], {maxRepetitions: 1})).size, 0);
});

test('whatever an agent answers, the asking ends', async t => {
	const agent = createSocket('udp4').bind(0, '127.0.0.1');
	await once(agent, 'listening');
	const transport = createV2cTransport();
	t.teardown(() => {
		transport.close();
		agent.close();
	});
	let change = (answer: Buffer) => answer;
	agent.on('message', (request, {port, address}) => {
		const answer = Buffer.from(request);
		answer[answer.indexOf(0xa0)] = 0xa2;
		agent.send(change(answer), port, address);
	});
	const options = {address: '127.0.0.1', port: agent.address().port, timeoutMillis: 30, retries: 0};
	const flips = fc.array(fc.tuple(fc.nat(200), fc.nat(255)), {maxLength: 4});
	await fc.assert(
		fc.asyncProperty(flips, fc.nat(80), async (changes, cut) => {
			change = answer => {
				for (const [at, value] of changes) answer[at % answer.length] = value;
				return answer.subarray(0, cut > 60 ? cut : answer.length);
			};
			const answered = transport.session('imm', options).get([`${entry}.2.1`]);
			return answered.then(Array.isArray, error => error instanceof SessionError);
		}),
		{numRuns: 100},
	);
	t.pass();
});

test('the words of modules, old and new', t => {
	for (const [text, value] of Object.entries({
		' 35% of maximum': 35,
		'28.00 Centigrade': 28,
		'3.3 Volts': 3.3,
		'-5': -5,
		'1200 RPM': 1200,
		Offline: undefined,
		'Not Readable!': undefined,
		'': undefined,
		'12 and more': undefined,
	}))
		t.is(numberOf(Buffer.from(text))?.value, value, text);
	for (const [text, state] of Object.entries({
		Normal: 'ok',
		' normal ': 'ok',
		Critical: 'failed',
		'Non-Critical': 'degraded',
		Warning: 'degraded',
		'Predictive failure': 'predicted_failure',
		'something new': 'degraded',
		Unknown: undefined,
		'N/A': undefined,
		'': undefined,
	}))
		t.is(stateOfHealth(text), state as ReturnType<typeof stateOfHealth>, text);
});
