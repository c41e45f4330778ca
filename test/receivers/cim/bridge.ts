import test from 'ava';
import {startBridge} from '../../helpers/bridge.ts';
import {indicationXml, memoryFault, send} from '../../helpers/cim.ts';
import {startCimServer} from '../../helpers/cim-server.ts';
import {eventually, freePort} from '../../helpers/listen.ts';

test('the bridge subscribes, takes the alert as a problem of the system, and a recovery closes it', async t => {
	const server = await startCimServer(t);
	const endpoint = `127.0.0.1:${await freePort()}`;
	const system = {
		host: '127.0.0.1',
		port: 1,
		http_port: server.port,
		allow_http: true,
		username: 'USERID',
		password: 'PASSW0RD',
		name: 'db01.example',
		machine_type: '8871',
		model: 'AC1',
		serial_number: 'J1A2B3C',
	};
	const bridge = await startBridge(t, {
		receivers: {otlp: {endpoint: '127.0.0.1:0'}, cim: {endpoint, systems: [system]}},
	});
	await eventually(() => server.subscriptions().length === 1);
	const destination = new URL(server.destinations()[0]?.text.get('Destination') ?? '');
	t.regex(destination.href, new RegExp(`^http://${endpoint}/cim/[0-9a-f]{20}$`));
	t.is((await send(destination, indicationXml(memoryFault))).status, 200);
	const problems = () => bridge.callHome.store.read.listProblems({limit: 10});
	const [problem] = await problems();
	t.like(problem, {
		system: {name: 'db01.example', machineType: '8871', model: 'AC1', serialNumber: 'J1A2B3C'},
		component: {id: 'memory/8'},
	});
	const recovery = {
		...memoryFault,
		EventID: '0x816F010C20010000',
		PerceivedSeverity: '2',
		EventTime: '20261101110000.000000+060',
	};
	t.is((await send(destination, indicationXml(recovery))).status, 200);
	const [closed] = await problems();
	t.true(closed?.state === 'closed' || closed?.recoveredAt !== undefined);
	t.true(bridge.said.some(text => /^warn CIM: HTTPS is not available/.test(text)));
});
