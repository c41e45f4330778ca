import {execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {readInfo, readLine, readRecords, recordToFinding} from '../../../src/receivers/host/sel.ts';
import {Secret} from '../../../src/secret.ts';
import {eventsCome, type HostStage, hostStage, script, stateIs, told} from '../../helpers/host.ts';
import {eventually, freePort} from '../../helpers/listen.ts';
import {requiredPeer, testWithPeer} from '../../helpers/peers.ts';

const run = promisify(execFile);
const password = 's3cret-of-bmc';

/** A management module of nobody's make, with a log of its own, and ipmitool at its side. */
async function startSimulator(t: ExecutionContext, {directory}: HostStage) {
	const port = await freePort();
	const auths = ['callback', 'user', 'operator', 'admin'].map(level => `allowed_auths_${level} none md2 md5 straight`).join('\n');
	await writeFile(
		join(directory, 'lan.conf'),
		`name "sim"\nset_working_mc 0x20\nstartlan 1\naddr 127.0.0.1 ${port}\npriv_limit admin\n${auths}\nguid a123456789abcdefa123456789abcdef\nendlan\n` +
			`user 2 true "reader" "${password}" admin 10 none md2 md5 straight\n`,
	);
	await writeFile(
		join(directory, 'sim.emu'),
		'mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\nsel_enable 0x20 1000 0x0a\nmc_enable 0x20\n',
	);
	await mkdir(join(directory, 'state'));
	const simulator = spawn(requiredPeer('ipmi_sim'), ['-c', 'lan.conf', '-f', 'sim.emu', '-s', 'state', '-n'], {
		cwd: directory,
		stdio: ['pipe', 'ignore', 'ignore'],
	});
	t.teardown(async () => {
		const ended = once(simulator, 'exit');
		if (simulator.kill('SIGKILL')) await ended;
	});
	const args = ['-I', 'lan', '-H', '127.0.0.1', '-p', String(port), '-U', 'reader', '-E'];
	const ipmitool = (...command: string[]) =>
		run(requiredPeer('ipmitool'), [...args, ...command], {env: {...process.env, IPMI_PASSWORD: password}});
	await eventually(() => ipmitool('sel', 'info'), {timeoutMillis: 60_000});
	/** Revision, sensor type, sensor number, event type, three bytes of data, as ipmitool reads them from a file. */
	async function add(...events: readonly string[]) {
		const file = join(directory, 'events');
		await writeFile(file, `${events.join('\n')}\n`);
		await ipmitool('sel', 'add', file);
	}
	const remote = {
		host: '127.0.0.1',
		port,
		user: 'reader',
		password: new Secret(password),
		interface: 'lan',
		privilege: 'administrator',
		system: 'db01.example',
	};
	return {ipmitool, add, remote, port};
}

const uncorrected = '0x04 0x0C 0x02 0x6f 0x01 0xff 0xff';
const corrected = '0x04 0x0C 0x02 0x6f 0x00 0xff 0x08';
const tooHot = '0x04 0x01 0x30 0x01 0x09 0x28 0x28';
const coolAgain = '0x04 0x01 0x30 0x81 0x59 0x28 0x28';
const inputLost = '0x04 0x08 0x51 0x6f 0x03 0xff 0xff';
const booted = '0x04 0x1f 0x70 0x6f 0x01 0xff 0xff';

testWithPeer(
	['ipmi_sim', 'ipmitool'],
	'the log of a management module is told record by record, with what is over again',
	async t => {
		const stage = await hostStage(t);
		const {add, ipmitool, remote} = await startSimulator(t, stage);
		await ipmitool('sel', 'time', 'set', 'now');
		await add(uncorrected);
		const first = await stage.start({ipmi: {local: false, remote: [remote]}});
		await eventsCome(stage, 1);
		t.like(stage.events[0], {
			severity: 17,
			resource: {'host.name': 'db01.example'},
			attributes: {'hw.id': 'memory/sensor-0x02', 'hw.type': 'memory', 'callhome.host.sel.event': 'Uncorrectable ECC'},
		});
		t.true(Math.abs(Date.now() - (stage.events[0]?.occurredAt ?? 0)) < 600_000);
		await add(tooHot, booted, inputLost);
		await eventsCome(stage, 3);
		await first.stop();
		await add(coolAgain, corrected);
		await stage.start({ipmi: {local: false, remote: [remote]}});
		await eventsCome(stage, 5);
		t.deepEqual(told(stage), [
			'memory/sensor-0x02 failed uncorrected',
			'temperature/sensor-0x30 failed',
			'power_supply/sensor-0x51 degraded input_lost',
			'temperature/sensor-0x30 ok',
			'memory/sensor-0x02 told corrected',
		]);
		t.is(stage.states.at(-1)?.target, `127.0.0.1:${remote.port}`);
	},
);

testWithPeer(
	['ipmi_sim', 'ipmitool'],
	'a log that is cleared begins again, also on a module whose clock was never set',
	async t => {
		const stage = await hostStage(t);
		const {add, ipmitool, remote} = await startSimulator(t, stage);
		await add(inputLost);
		await stage.start({ipmi: {local: false, remote: [remote]}});
		await eventually(() => stage.marks.size === 1, {timeoutMillis: 30_000});
		t.is(stage.events.length, 0, 'what was there before is history: nobody knows its age');
		t.regex(stage.logged.join(), /holds 1 older records/);
		await add(uncorrected);
		await eventsCome(stage, 1);
		t.true(Date.now() - (stage.events[0]?.occurredAt ?? 0) < 600_000);
		await ipmitool('sel', 'clear');
		await eventually(() => [...stage.marks.values()].some(mark => mark.includes('"entries":0')), {timeoutMillis: 30_000});
		await add(uncorrected);
		await eventsCome(stage, 2);
		t.deepEqual(told(stage), ['memory/sensor-0x02 failed uncorrected', 'memory/sensor-0x02 failed uncorrected']);
	},
);

testWithPeer(
	['ipmi_sim', 'ipmitool'],
	'a module that does not answer is said, and asked again, and never the password is told',
	async t => {
		const stage = await hostStage(t);
		const {remote} = await startSimulator(t, stage);
		const port = await freePort();
		await stage.start({ipmi: {local: false, remote: [{...remote, port, password: new Secret('wrong-password')}]}});
		await stateIs(stage, 'failing');
		t.notRegex(JSON.stringify([stage.states, stage.logged]), /wrong-password|s3cret/);
		t.regex(stage.states.at(-1)?.reason ?? '', /ipmitool: \S+/);
	},
);

for (const over of ['lan', 'lanplus'])
	testWithPeer(
		['ipmi_sim', 'ipmitool'],
		`a login that the module refuses over ${over} is tried once, also after a restart, until it changes`,
		async t => {
			const stage = await hostStage(t);
			const {remote} = await startSimulator(t, stage);
			const runs = join(stage.directory, 'runs');
			const ipmitool = await script(stage.directory, 'counted', `echo x >> ${runs}; exec ${requiredPeer('ipmitool')} "$@"`);
			const suite = over === 'lanplus' ? {cipher_suite: 3} : {};
			const settings = (word: string) => ({
				ipmi: {ipmitool, local: false, remote: [{...remote, ...suite, interface: over, password: new Secret(word)}]},
			});
			const first = await stage.start(settings('wrong-password'));
			await stateIs(stage, 'stopped');
			t.regex(stage.states.at(-1)?.reason ?? '', /modules lock accounts/);
			await first.stop();
			const again = await stage.start(settings('wrong-password'));
			await eventually(() => /refused \(before\)/.test(stage.states.at(-1)?.reason ?? ''), {timeoutMillis: 30_000});
			await again.stop();
			t.is(await readFile(runs, 'utf8'), 'x\n');
			await stage.start(settings(password));
			await stateIs(stage, 'working');
		},
	);

/** An ipmitool that answers as the pieces say. */
const pretend = (stage: HostStage, raw: string, elist = 'true') =>
	script(
		stage.directory,
		'ipmitool',
		`echo "$*" >> ${stage.directory}/arguments
case "$*" in
*"raw 0x0a 0x40"*) echo " 51 01 00 00 10 00 00 00 65 00 00 00 00 02";;
*writeraw*) for file in "$@"; do :; done; ${raw};;
*elist*) ${elist};;
esac`,
	);
/** Record 0x17 of sensor 2: the limit of corrected memory errors is reached. */
function recordBytes(seconds: number): Buffer {
	const record = Buffer.from('17000200000000200004' + '0c026f05ffff', 'hex');
	record.writeUInt32LE(seconds, 3);
	return record;
}

test('the words of ipmitool name the part, and the codes say what it is', async t => {
	const stage = await hostStage(t);
	await writeFile(join(stage.directory, 'record'), recordBytes(Math.floor(Date.now() / 1000)));
	const line = '  17 | 01/27/2015 | 11:41:08 SAST | Memory | Correctable ECC logging limit reached | Asserted | CPU 0 DIMM 8';
	await mkdir(join(stage.directory, 'dev'));
	await writeFile(join(stage.directory, 'dev/ipmi0'), '');
	const ipmitool = await pretend(stage, `cat ${stage.directory}/record > $file`, `echo "${line}"`);
	await stage.start({ipmi: {ipmitool}});
	await eventsCome(stage, 1);
	t.deepEqual(told(stage), ['memory/0/8 predicted_failure corrected_limit']);
	t.is(stage.events[0]?.resource['host.id'], '0123456789abcdef0123456789abcdef');
});

const troubles: readonly (readonly [title: string, raw: string, reason: RegExp])[] = [
	['half a record', 'printf 1234567 > $file', /something else than whole records/],
	['no file', 'true', /wrote no records \(ENOENT\)/],
	['an error', 'echo "Get SEL Entry failed: Invalid" >&2; exit 1', /Get SEL Entry failed/],
];
for (const [title, raw, reason] of troubles) {
	test(`a tool that answers with ${title} is said, and tried again`, async t => {
		const stage = await hostStage(t);
		await mkdir(join(stage.directory, 'dev'));
		await writeFile(join(stage.directory, 'dev/ipmi0'), '');
		const ipmitool = await pretend(stage, raw);
		await stage.start({ipmi: {ipmitool}});
		await stateIs(stage, 'failing');
		t.regex(stage.states.at(-1)?.reason ?? '', reason);
		await writeFile(join(stage.directory, 'record'), recordBytes(Math.floor(Date.now() / 1000)));
		await pretend(stage, `cat ${stage.directory}/record > $file`);
		await eventsCome(stage, 1);
		t.is(told(stage)[0], 'memory/sensor-0x02 predicted_failure corrected_limit');
	});
}

test('the password stands in no argument, and the address of the module in no shell', async t => {
	const stage = await hostStage(t);
	const ipmitool = await pretend(stage, 'true');
	await stage.start({
		ipmi: {ipmitool, local: false, remote: [{host: 'bmc.example', user: '$(id)', password: new Secret(password)}]},
	});
	await stateIs(stage, 'failing');
	const said = await readFile(join(stage.directory, 'arguments'), 'utf8');
	t.false(said.includes(password));
	t.true(said.includes('-I lanplus -H bmc.example -p 623 -U $(id) -L USER -E -v raw 0x0a 0x40'));
});

test('a module that is named needs ipmitool: that it is missing is a failure there', async t => {
	const stage = await hostStage(t);
	await stage.start({ipmi: {ipmitool: 'callhome-no-ipmitool', local: false, remote: [{host: 'bmc.example'}]}});
	await stateIs(stage, 'failing');
	t.regex(stage.states[0]?.reason ?? '', /not installed/);
});

test('without the driver of the kernel there is no local log', async t => {
	const stage = await hostStage(t);
	await stage.start({ipmi: {}});
	await stateIs(stage, 'absent');
	t.regex(stage.states[0]?.reason ?? '', /there is no .*ipmi0.*ipmi_devintf/);
});

test('lines are read from the right, whatever the clock of the module printed', t => {
	t.like(readLine('   3 | Pre-Init Time-stamp   | Memory #0x12 | Uncorrectable ECC | Asserted'), {id: 3, sensor: 'Memory #0x12'});
	t.like(readLine('   1 |  Pre-Init  |0000011030| Memory #0x02 | Uncorrectable ECC | Asserted'), {id: 1, sensor: 'Memory #0x02'});
	t.like(
		readLine(
			'3e | 10/02/2025 | 22:07:09 | Temperature Inlet Temp | Upper Non-critical going high | Deasserted | Reading 28 > Threshold 28 degrees C',
		),
		{
			id: 0x3e,
			sensor: 'Temperature Inlet Temp',
			event: 'Upper Non-critical going high',
			extra: 'Reading 28 > Threshold 28 degrees C',
		},
	);
	t.is(readLine('SEL has no more entries'), undefined);
	t.is(readLine('a | Linux kernel panic: hi'), undefined);
	t.is(readInfo(' 51 0a 00 ff'), undefined);
	t.like(readInfo(' 51 0a 00 00 10 9c 9c 6a 65 00 00 00 00 82\n'), {entries: 10, overflowed: true});
});

test('whatever stands in a log, each record is a finding or none', t => {
	const bytes = fc.uint8Array({minLength: 16, maxLength: 64});
	const text = fc.oneof(
		fc.string({maxLength: 200}),
		fc.array(fc.constantFrom('17', '|', ' Asserted', 'Memory #0x02', 'CPU 0 DIMM 8'), {maxLength: 12}).map(all => all.join(' ')),
	);
	fc.assert(
		fc.property(bytes, text, (content, words) => {
			const records = readRecords(content.subarray(0, content.length - (content.length % 16))) ?? [];
			const line = readLine(words);
			readInfo(words);
			return records.every(record => {
				const finding = recordToFinding(record, line, 'log 0');
				return finding === undefined || (finding.part.id.length > 0 && finding.message !== '');
			});
		}),
		{numRuns: 300},
	);
	t.is(readRecords(Buffer.alloc(17)), undefined);
});
