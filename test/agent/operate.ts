import {once} from 'node:events';
import {mkdirSync, statSync} from 'node:fs';
import {connect} from 'node:net';
import {join} from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {giveOrder, startControl} from '../../src/agent/control.ts';
import {createOperate, type Operation} from '../../src/agent/operate.ts';
import type {AnyOrder} from '../../src/agent/orders.ts';
import {BridgeError} from '../../src/errors.ts';
import {acknowledged, failed, type House, hour, noon, onlyProblem, openHouse, policyOf} from '../helpers/decisions.ts';
import {temporaryDirectory} from '../helpers/listen.ts';

const operator = (house: House, changes = {}) => {
	const operate = createOperate({store: house.store, policy: policyOf(changes), wake: () => {}, now: () => house.clock.now});
	return (operation: Operation, id: string, reason = '') => operate({operation, id, reason});
};
const types = async (house: House) => (await house.queue()).map(({type}) => type);

test('hold takes a problem from the queue, further events leave it held, and release sends it under its first id', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3'));
	const {id, transactionId} = await onlyProblem(house);
	await operator(house)('hold', id, 'the part is on my desk');
	t.like(await onlyProblem(house), {state: 'held', reason: 'awaiting_approval'});
	t.deepEqual(await types(house), []);
	t.deepEqual(await house.take(failed('drive-3')), ['duplicate']);
	t.is(await house.reconsider(), 0);
	t.regex((await house.activities(id)).map(({text}) => text).join('\n'), /the part is on my desk/);
	await operator(house)('release', id);
	t.like(await onlyProblem(house), {state: 'queued', transactionId});
	t.deepEqual(await types(house), ['hardware_alert']);
});

test('a problem that was on its way when it was held is asked after before it is sent again', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3'));
	const [submission] = await house.queue();
	const {id} = await onlyProblem(house);
	const attempt = {
		submissionId: submission?.id ?? '',
		problemId: id,
		type: 'hardware_alert',
		startedAt: noon,
		connection: 'direct',
		destination: 'x:1',
		request: '',
	};
	await house.store.write(records => records.beginAttempt(attempt as Parameters<typeof records.beginAttempt>[0]));
	await operator(house)('hold', id);
	await operator(house)('release', id);
	t.true((await house.queue())[0]?.uncertain);
});

test('release sends a refused problem again, under another id, with what came meanwhile', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3'));
	const {id, transactionId} = await onlyProblem(house);
	await house.answer('hardware_alert', acknowledged(transactionId, {error: 'no entitlement'}));
	await house.take(failed('drive-3'));
	house.clock.now = noon + hour;
	await operator(house)('release', id);
	const again = await onlyProblem(house);
	t.like(again, {state: 'queued', count: 2, acceptedAt: undefined});
	t.not(again.transactionId, transactionId);
	await house.answer('hardware_alert', acknowledged(again.transactionId, {caseNumber: 'TS1'}));
	t.like(await onlyProblem(house), {state: 'open', caseNumber: 'TS1'});
});

test('release says why it cannot: no system, no consent, or nothing to release', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3', {serial: undefined}));
	const {id} = await onlyProblem(house);
	await t.throwsAsync(operator(house)('release', id), {code: 'ERR_USAGE', message: /Add under systems/});
	const silent = await openHouse(t, {policy: {consentsToCases: false}});
	await silent.take(failed('drive-3'));
	const held = await onlyProblem(silent);
	await t.throwsAsync(operator(silent, {consentsToCases: false})('release', held.id), {code: 'ERR_USAGE', message: /consent/});
	const other = await openHouse(t);
	await other.take(failed('drive-3'));
	await t.throwsAsync(operator(other)('release', (await onlyProblem(other)).id), {
		code: 'ERR_USAGE',
		message: /only what is held/,
	});
	await t.throwsAsync(operator(other)('release', 'p0'), {code: 'ERR_NOT_FOUND'});
});

test('close ends a problem here, its reason stays, and nothing of it waits to be sent', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3'));
	await house.answer('hardware_alert');
	const {id} = await onlyProblem(house);
	await operator(house)('close', id, 'replaced');
	t.like(await onlyProblem(house), {state: 'closed', reason: 'closed by the operator: replaced', closedAt: noon});
	t.deepEqual(await types(house), []);
	await t.throwsAsync(operator(house)('close', id), {code: 'ERR_USAGE', message: /closed already/});
	await t.throwsAsync(operator(house)('hold', id), {code: 'ERR_USAGE'});
});

test('refresh asks IBM at once, also when the question waits already, by the case number too', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3'));
	const {id, transactionId} = await onlyProblem(house);
	await t.throwsAsync(operator(house)('refresh', id), {code: 'ERR_USAGE', message: /nothing to ask/});
	await house.answer('hardware_alert');
	await operator(house)('refresh', id);
	const [question, ...others] = await house.queue();
	t.like(question, {type: 'case_query', notBefore: noon});
	t.deepEqual(others, []);
	await house.answer('case_query', acknowledged(transactionId, {caseNumber: 'TS7'}));
	await operator(house)('refresh', 'TS7');
	t.true((await types(house)).includes('case_query'));
});

test('the control socket: an order comes through from a directory with a long name, errors keep their code, and only the owner may open it', async t => {
	const directory = join(await temporaryDirectory(t), 'd'.repeat(120));
	mkdirSync(directory, {mode: 0o700});
	const orders: AnyOrder[] = [];
	const stack = new AsyncDisposableStack();
	const operate = async (order: AnyOrder) => {
		orders.push(order);
		if ('id' in order && order.id === 'none') throw new BridgeError('ERR_NOT_FOUND', 'there is no problem none');
		if (order.operation === 'acknowledge_ledger') return order.reason;
		return 'id' in order ? order.id : [order.named];
	};
	await startControl(directory, operate, (_level, text) => t.fail(text), stack);
	t.is(statSync(join(directory, 'control.sock')).mode & 0o777, 0o600);
	const order = {operation: 'hold', id: 'p1', reason: 'ö "\n'} as const;
	t.is(await giveOrder(directory, order), 'p1');
	t.deepEqual(orders, [order]);
	t.deepEqual(await giveOrder(directory, {operation: 'collect_inventory', named: ''}), ['']);
	t.is(await giveOrder(directory, {operation: 'acknowledge_ledger', reason: ' known '}), 'known');
	await t.throwsAsync(giveOrder(directory, {operation: 'acknowledge_ledger', reason: ' '}), {code: 'ERR_NOT_READY'});
	await t.throwsAsync(giveOrder(directory, {...order, id: 'none'}), {code: 'ERR_NOT_FOUND', message: /no problem none/});
	await stack.disposeAsync();
	await t.throwsAsync(giveOrder(directory, order), {code: 'ERR_NOT_READY'});
});

test('the control socket: whatever is written to it gets an answer or an end, and orders still come through', async t => {
	const directory = await temporaryDirectory(t);
	let taken = 0;
	await using stack = new AsyncDisposableStack();
	const operate = async () => {
		taken++;
		return 'p';
	};
	await startControl(directory, operate, (_level, text) => t.fail(text), stack);
	await fc.assert(
		fc.asyncProperty(fc.oneof(fc.string(), fc.json(), fc.constant('x'.repeat(70_000))), async text => {
			const socket = connect(join(directory, 'control.sock'));
			let reply = '';
			socket.on('error', () => {}).setEncoding('utf8');
			socket.on('data', part => {
				reply += part;
			});
			socket.end(`${text}\n`);
			await once(socket, 'close');
			return reply === '' || 'error' in JSON.parse(reply);
		}),
		{numRuns: 60},
	);
	t.is(taken, 0);
	await giveOrder(directory, {operation: 'close', id: 'p', reason: ''});
	t.is(taken, 1);
});
