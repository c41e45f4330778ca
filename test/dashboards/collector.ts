import {createSocket} from 'node:dgram';
import {startBridge} from '../helpers/bridge.ts';
import {eventually, freePort, listen} from '../helpers/listen.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {recipe, startBesideForward} from '../helpers/recipe.ts';

const patience = {timeoutMillis: 60_000, intervalMillis: 100};

const system = (match: Record<string, string>) => ({
	match,
	name: 'db01',
	machine_type: '8871',
	model: 'AC1',
	serial_number: 'J1A2B3C',
});

testWithPeer('otelcol', 'syslog of a machine becomes a case, each machine by itself, and chatter does not', async t => {
	const bridge = await startBridge(t, {systems: [system({'host.name': 'db01'})]});
	const port = await freePort();
	await startBesideForward(t, bridge.urls.otlp, [
		await recipe('syslog'),
		{receivers: {'syslog/callhome': {udp: {listen_address: `127.0.0.1:${port}`}}}},
	]);
	const socket = createSocket('udp4');
	t.teardown(() => socket.close());
	const say = (priority: number, host: string, text: string) =>
		new Promise<void>((resolve, reject) =>
			socket.send(`<${priority}>1 2026-01-02T03:04:05Z ${host} imm 1 - - ${text}`, port, '127.0.0.1', error =>
				error ? reject(error) : resolve(),
			),
		);
	await say(27, 'db01', 'Fan 3 has failed'); // Facility daemon, severity err.
	await say(27, 'web"7', 'PSU 2 lost its input');
	await say(30, 'db01', 'Fan 4 is well'); // Severity info.
	await say(27, 'db01', 'user root logged in badly');
	const problems = await eventually(async () => {
		const found = await bridge.callHome.store.read.listProblems({});
		return found.length >= 2 && found.some(({state}) => state === 'open') && found;
	}, patience);
	const words = problems.map(
		({component, system, state}) => `${system?.name ?? 'unknown'} ${component.type} ${component.id} ${state}`,
	);
	t.deepEqual(words.toSorted(), ['db01 fan Fan 3 open', 'unknown power_supply PSU 2 held']);
});

testWithPeer('otelcol', 'a critical sensor of a scraped exporter becomes a case, and closes when it is well again', async t => {
	const bridge = await startBridge(t, {systems: [system({'service.instance.id': '127.0.0.1:*'})]});
	let fan = 2;
	const exporter = await listen(t, (_, response) => {
		response.setHeader('content-type', 'text/plain; version=0.0.4');
		response.end(
			`# TYPE ipmi_fan_speed_state gauge\nipmi_fan_speed_state{id="17",name="Fan 3"} ${fan}\nipmi_fan_speed_state{id="18",name="Fan 4"} 1\n# TYPE ipmi_up gauge\nipmi_up{collector="ipmi"} 1\n`,
		);
	});
	const job = {job_name: 'ipmi', scrape_interval: '500ms', scrape_timeout: '500ms', static_configs: [{targets: [exporter.host]}]};
	await startBesideForward(t, bridge.urls.otlp, [
		await recipe('prometheus'),
		{receivers: {'prometheus/callhome': {config: {scrape_configs: [job]}}}},
	]);
	const list = () => bridge.callHome.store.read.listProblems({});
	await eventually(async () => (await list()).some(({state}) => state === 'open'), patience).catch(async cause => {
		throw new Error(JSON.stringify(await list()), {cause});
	});
	const [problem, ...others] = await list();
	t.deepEqual(others, []);
	t.like(problem, {component: {id: '17', type: 'fan', name: 'Fan 3'}, system: {serialNumber: 'J1A2B3C'}});
	fan = 0;
	await eventually(
		async () => (await list()).every(({recoveredAt, state}) => recoveredAt !== undefined || state === 'closed'),
		patience,
	);
	t.is((await list()).length, 1);
});
