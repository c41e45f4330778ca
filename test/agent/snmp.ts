import {startBridge} from '../helpers/bridge.ts';
import {eventually, freePort, temporaryDirectory} from '../helpers/listen.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {immRoot, immVarbinds, netSnmp} from '../helpers/snmp.ts';
import {agentUser, immObjects, snmpdAgent} from '../helpers/snmp-agent.ts';

const patience = {timeoutMillis: 60_000};

testWithPeer(['snmpinform', 'snmpd'], 'a bridge opens cases for alerts, none for tests, and shows what it polls', async t => {
	const port = await freePort();
	const agentPort = await snmpdAgent(t, await temporaryDirectory(t), immObjects({supply: 'Critical'}));
	const traps = {endpoint: `127.0.0.1:${port}`, communities: ['not-public']};
	const hosts = [
		{
			host: '127.0.0.1',
			port: agentPort,
			name: 'db01',
			user: agentUser,
			machine_type: '7915',
			model: 'AC1',
			serial_number: '06POLL1',
		},
	];
	const receivers = {otlp: {endpoint: '127.0.0.1:0'}, snmp: {traps, poll: {interval: '500ms', hosts}}};
	const {callHome, urls, said} = await startBridge(t, {receivers});
	const {read} = callHome.store;
	const inform = (changes: Parameters<typeof immVarbinds>[0]) =>
		netSnmp(
			'snmpinform',
			'-v2c',
			'-c',
			'not-public',
			'-t',
			'30',
			`127.0.0.1:${port}`,
			'100',
			`${immRoot}.0.5`,
			...immVarbinds(changes),
		);

	await inform({20: ['i', '1']});
	await inform({});
	await inform({}); // The same again: its acknowledgement may have been lost.
	const fromTraps = (await read.listProblems({})).filter(({component}) => component.id === 'physical_disk/3');
	t.deepEqual(
		fromTraps.map(({test, count}) => ({test, count})).sort((one, other) => Number(one.test) - Number(other.test)),
		[
			{test: false, count: 1},
			{test: true, count: 1},
		],
	);

	const polled = await eventually(
		async () => (await read.listProblems({states: ['open']})).find(({component}) => component.id === 'power_supply/1'),
		patience,
	);
	t.like(polled.system, {name: 'db01', machineType: '7915', model: 'AC1', serialNumber: '06POLL1'});
	const page = await (await fetch(urls.metrics)).text();
	t.regex(page, /^hw_temperature_celsius\{[^}]*"temperature\/ambient-temp"[^}]*\} 24/m);
	t.regex(page, /^hw_status\{[^}]*"power_supply\/1"[^}]*"failed"[^}]*\} 1/m);
	t.regex(page, /^callhome_intake_records_total\{[^}]*"accepted"[^}]*"snmp"[^}]*\} 3/m);
	t.notRegex(said.join('\n') + page, /not-public|proof-of|privacy-of/);
});
