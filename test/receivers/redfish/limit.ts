import {setTimeout as pause} from 'node:timers/promises';
import test from 'ava';
import {openClient} from '../../../src/receivers/redfish/client.ts';
import {redfishReceiverSchema} from '../../../src/receivers/redfish/config.ts';
import {limitedTo} from '../../../src/receivers/redfish/limit.ts';
import {createSession} from '../../../src/receivers/redfish/session.ts';
import {listen} from '../../helpers/listen.ts';
import {createRedfishService, machinePages} from '../../helpers/redfish-service.ts';
import {keptParts} from '../../helpers/snmp.ts';

const never = new AbortController().signal;
const timers = () => process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length;

test.serial('time that is over aborts, and says that it was time', async t => {
	const {signal} = limitedTo(5, never);
	await pause(20);
	t.is((signal.reason as DOMException).name, 'TimeoutError');
});

test.serial('what ends the look ends the request, for the same reason', async t => {
	const look = new AbortController();
	const {signal} = limitedTo(60_000, look.signal);
	look.abort('the bridge ends');
	t.is(signal.reason, 'the bridge ends');
	const late = limitedTo(60_000, look.signal);
	await pause(0);
	t.is(late.signal.reason, 'the bridge ends', 'and one that begins after it');
});

test.serial('released it aborts no more', async t => {
	const look = new AbortController();
	const {signal, release} = limitedTo(5, look.signal);
	release();
	look.abort();
	await pause(20);
	t.false(signal.aborted);
});

test.serial('a look leaves no timer behind for each of its requests', async t => {
	const url = await listen(t, createRedfishService(machinePages()).listener);
	const limits = redfishReceiverSchema.parse({systems: [{url: url.href, username: 'u', password: 'p', login: 'basic'}]});
	const [system] = limits.systems;
	if (!system) throw new Error('there is no system');
	const before = timers();
	const client = await openClient(system, {
		session: createSession(system, keptParts().parts),
		limits,
		signal: never,
	});
	for (let index = 0; index < 50; index++) await client.get('/redfish/v1/Systems/1');
	await client.get('/redfish/v1/nothing-here');
	await client.close();
	await t.throwsAsync(client.get('/redfish/v1/Systems'));
	t.true(timers() <= before + 2, `${timers()} timers, ${before} before`);
});
