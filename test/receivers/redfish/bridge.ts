import test from 'ava';
import {startBridge} from '../../helpers/bridge.ts';
import {eventually, listen} from '../../helpers/listen.ts';
import {at, createRedfishService, machinePages} from '../../helpers/redfish-service.ts';
import {createSessions} from '../../helpers/redfish-sessions.ts';

const patience = {timeoutMillis: 60_000};
const entry = (id: string, Severity: string, Message: string) => ({
	...at(`/entries/${id}`),
	Id: id,
	Created: `2026-01-0${id}T00:00:00Z`,
	Severity,
	Message,
});

test('a fault that log and health tell is one case, logins open none, and the part’s health ends it', async t => {
	const service = createRedfishService(machinePages());
	const sessions = createSessions({takesBasic: false});
	const url = await listen(t, sessions.before(service.listener));
	const systems = [{url: url.origin, username: 'u', password: 'hidden-word', name: 'db01.example'}];
	const bridge = await startBridge(t, {
		receivers: {otlp: {endpoint: '127.0.0.1:0'}, redfish: {systems, poll_interval: '200ms', recovery_delay: '0s'}},
	});
	const problems = () => bridge.callHome.store.read.listProblems({limit: 10});
	await eventually(() => bridge.said.some(text => /redfish of \S+ works/.test(text)), patience);
	const entries = [
		entry('1', 'Critical', 'Fan 1 has failed'),
		entry('2', 'Warning', 'Unable to log in for root from 192.0.2.5 using GUI.'),
		entry('3', 'Warning', 'Unable to log in for root from 192.0.2.5 using GUI.'),
	];
	Object.assign(service.pages, machinePages(entries, 'Critical'));
	const opened = await eventually(async () => (await problems()).find(({state}) => state === 'open'), patience);
	t.like(opened, {
		system: {name: 'db01.example', machineType: '8871', model: 'AC1', serialNumber: 'J1A2B3C'},
		component: {id: '/redfish/v1/Chassis/1/Thermal#/Fans/0', type: 'fan'},
		count: 2,
	});
	t.deepEqual((await problems()).map(({state, reason}) => `${state} ${reason}`).toSorted(), ['held not_serviceable', 'open ']);
	Object.assign(service.pages, machinePages(entries, 'OK'));
	await eventually(
		async () => (await problems()).find(({id, recoveredAt}) => id === opened.id && recoveredAt !== undefined),
		patience,
	);
	t.is(sessions.seen.basic, 0);
});
