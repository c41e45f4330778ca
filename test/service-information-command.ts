import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {settingsOf} from './helpers/bridge.ts';
import {cli, callhome as command} from './helpers/callhome.ts';
import {eventually, temporaryDirectory} from './helpers/listen.ts';
import {startProgram} from './helpers/program.ts';

const system = {name: 'this', machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C'};

const callhome = (...args: readonly string[]) => command('service-information', ...args);

async function configured(t: ExecutionContext, settings: Record<string, unknown>) {
	const directory = await temporaryDirectory(t);
	const file = join(directory, 'callhome.yaml');
	writeFileSync(file, JSON.stringify(settingsOf(directory, {system, ...settings})));
	return {file, directory};
}

test('a preview shows the very message, sends nothing, and needs neither consent nor a bridge', async t => {
	const keys = {api_key: 'key-58b1f0', private_key: 'key-77d2c9'};
	const ibm = {customer_number: '1234567', ...keys, endpoint: 'https://127.0.0.1:9/connect/api/v1'};
	const {file} = await configured(t, {exporter: {call_home_connect: ibm}, consent: {}});
	const {code, stdout, stderr} = await callhome('preview', '--config', file, '--json');
	t.is(code, 0, stderr);
	const {sent, consent, messages, troubles} = JSON.parse(stdout);
	t.deepEqual([sent, consent, troubles], [false, false, []]);
	const [message] = messages;
	t.is(message.events[0].header.event_type, 'inventory');
	t.is(message.asset_id, 'J1A2B3C');
	t.is(message.api_key, '[redacted]');
	t.false(stdout.includes('key-58b1f0') || stdout.includes('key-77d2c9'));
	t.true(message.events[0].body.payload.content.inventory.parts.some(({type}: {type: string}) => type === 'cpu'));
	t.regex(stderr, /collecting from host\nnothing was sent; consent to inventory: not given/);
});

test('a preview of what there is not names what there is', async t => {
	const {file} = await configured(t, {});
	const {code, stderr} = await callhome('preview', 'redfish bmc9', '--config', file);
	t.is(code, 37);
	t.regex(stderr, /nothing to collect from is named "redfish bmc9": there is "host"/);
});

test('collect has the bridge send an inventory at once, and show tells when it was acknowledged', async t => {
	t.timeout(300_000);
	const {file, directory} = await configured(t, {
		consent: {cases: true, inventory: true},
		service_information: {inventory: {include: ['operating_system']}},
	});
	t.like(await callhome('collect', '--config', file), {code: 49});
	const program = await startProgram(t, process.execPath, [cli, 'run', '--config', file, '--json'], {cwd: directory});
	await program.waitFor('"ready":true', {timeoutMillis: 120_000});
	const shown = async () => {
		const {code, stdout, stderr} = await callhome('show', '--config', file, '--json');
		t.is(code, 0, stderr);
		return JSON.parse(stdout).inventory.systems[0];
	};
	const patience = {timeoutMillis: 120_000, intervalMillis: 300};
	const first = await eventually(async () => {
		const state = await shown();
		return state?.last_acknowledged && state;
	}, patience);
	t.like(first, {label: '8871-AC1/J1A2B3C', source: 'host', target: '', parts: 0});

	const collected = await callhome('collect', 'host', '--config', file);
	t.deepEqual(collected, {code: 0, stdout: 'host: collected and queued for 8871-AC1/J1A2B3C\n', stderr: ''});
	await eventually(async () => (await shown()).last_acknowledged > first.last_acknowledged, patience);
	const {stdout} = await callhome('show', '--config', file);
	t.regex(stdout, /Consent to inventory: given\n/);
	t.regex(stdout, /this +8871-AC1\/J1A2B3C +host +0 +20/);
	t.like(await callhome('collect', 'nobody', '--config', file), {code: 49});
	await program.stop();
});

test('without consent nothing is collected on order', async t => {
	t.timeout(300_000);
	const {file, directory} = await configured(t, {});
	const program = await startProgram(t, process.execPath, [cli, 'run', '--config', file, '--json'], {cwd: directory});
	await program.waitFor('"ready":true', {timeoutMillis: 120_000});
	const {code, stdout} = await callhome('collect', '--config', file);
	t.is(code, 49);
	t.regex(stdout, /it takes consent\.inventory and consent\.cases/);
	await program.stop();
});

test('help names the exit code and what may be named', async t => {
	const {stdout} = await callhome('collect', '--help');
	t.regex(stdout, /exit code 49/);
	t.regex(stdout, /host, redfish, snmp/);
});
