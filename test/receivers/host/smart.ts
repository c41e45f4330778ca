import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {readSmartLog} from '../../../src/receivers/host/nvme.ts';
import {countersOf, partOfReport, readingsOf, readReport, readScan, verdictOf} from '../../../src/receivers/host/smart-report.ts';
import {eventsCome, type HostStage, hostStage, plant, readingOf, script, stateIs, told} from '../../helpers/host.ts';
import {eventually} from '../../helpers/listen.ts';
import {requiredPeer, testWithPeer} from '../../helpers/peers.ts';

const reallocated = (raw: number, failed = '') => ({
	id: 5,
	name: 'Reallocated_Sector_Ct',
	value: 100,
	worst: 100,
	thresh: 10,
	when_failed: failed,
	flags: {prefailure: true},
	raw: {value: raw, string: String(raw)},
});

/** Reports in the shape of smartctl 7.3. */
const ata = (changes: object = {}, raw = 0) => ({
	json_format_version: [1, 0],
	smartctl: {version: [7, 3], exit_status: 0, messages: []},
	device: {name: '/dev/sda', type: 'sat', protocol: 'ATA'},
	model_name: 'ST1000NM0055',
	serial_number: 'Z1D2ABCD',
	firmware_version: 'SN05',
	user_capacity: {blocks: 1_953_525_168, bytes: 1_000_204_886_016},
	smart_support: {available: true, enabled: true},
	smart_status: {passed: true},
	temperature: {current: 31},
	ata_smart_attributes: {revision: 16, table: [reallocated(raw)]},
	...changes,
});
const nvme = (log: object, passed = true) => ({
	...ata({ata_smart_attributes: undefined}),
	device: {name: '/dev/nvme0', type: 'nvme', protocol: 'NVMe'},
	model_name: 'SAMSUNG MZ',
	serial_number: 'S3EVNX0',
	smart_status: {passed, nvme: {value: passed ? 0 : 4}},
	nvme_smart_health_information_log: {critical_warning: 0, available_spare: 100, percentage_used: 3, media_errors: 0, ...log},
});

/** A smartctl whose reports are files, and whose exit code is another one. */
async function smartctl(stage: HostStage, report: object | string, exitCode = 0): Promise<string> {
	await writeFile(join(stage.directory, 'report'), typeof report === 'string' ? report : JSON.stringify(report));
	await writeFile(join(stage.directory, 'exit'), String(exitCode));
	return script(
		stage.directory,
		'smartctl',
		`echo "$*" >> ${stage.directory}/arguments
case "$*" in
*--scan*) echo '{"json_format_version":[1,0],"smartctl":{"exit_status":0},"devices":[{"name":"/dev/sda","info_name":"/dev/sda","type":"scsi","protocol":"SCSI"}]}';;
*) cat ${stage.directory}/report; exit $(cat ${stage.directory}/exit);;
esac`,
	);
}

test('a disk that fails is told once, and once more when it is well again', async t => {
	const stage = await hostStage(t);
	const tool = await smartctl(stage, ata());
	await stage.start({smart: {smartctl: tool}});
	await eventually(() => stage.marks.has('host/smart'));
	t.is(readingOf(stage, 'smart', 'hw.temperature', {'hw.parent': 'physical_disk/z1d2abcd'}), 31);
	t.is(readingOf(stage, 'smart', 'hw.status', {'hw.id': 'physical_disk/z1d2abcd', 'hw.state': 'ok'}), 1);
	await smartctl(stage, ata({smart_status: {passed: false}, ata_smart_attributes: {table: [reallocated(0, 'now')]}}), 8);
	await eventsCome(stage, 1);
	t.like(stage.events[0], {
		severity: 17,
		message: 'ST1000NM0055 /dev/sda: its own assessment is that it fails: Reallocated_Sector_Ct',
		attributes: {'hw.serial_number': 'Z1D2ABCD', 'hw.type': 'physical_disk'},
	});
	await smartctl(stage, ata());
	await eventsCome(stage, 2);
	t.deepEqual(told(stage), ['physical_disk/z1d2abcd failed', 'physical_disk/z1d2abcd ok']);
	t.regex(await readFile(join(stage.directory, 'arguments'), 'utf8'), /--nocheck=standby --device=scsi -- \/dev\/sda/);
});

test('reallocated sectors that grow predict a failure, those that were there do not', async t => {
	const stage = await hostStage(t);
	const tool = await smartctl(stage, ata({}, 40));
	const first = await stage.start({smart: {smartctl: tool}});
	await eventually(() => stage.marks.has('host/smart'));
	await first.stop();
	t.is(stage.events.length, 0);
	await smartctl(stage, ata({}, 48), 64);
	await stage.start({smart: {smartctl: tool}});
	await eventsCome(stage, 1);
	t.deepEqual(told(stage), ['physical_disk/z1d2abcd predicted_failure growing_errors']);
	t.regex(stage.events[0]?.message ?? '', /Reallocated_Sector_Ct went from 40 to 48/);
});

const verdicts: readonly (readonly [title: string, report: object, exitCode: number, state: string])[] = [
	['passes', ata(), 0, 'ok'],
	['passes with errors in its log', ata(), 64 | 128, 'ok'],
	['is below a threshold now', ata({ata_smart_attributes: {table: [reallocated(9, 'now')]}}), 16, 'failed'],
	['was below a threshold once', ata({ata_smart_attributes: {table: [reallocated(9, 'past')]}}), 32, 'ok'],
	['says by its exit code alone that it fails', ata({smart_status: undefined}), 8, 'failed'],
	['is read-only (NVMe)', nvme({critical_warning: 8}, false), 8, 'failed'],
	['lacks spare (NVMe)', nvme({critical_warning: 1}), 0, 'predicted_failure'],
	['is hot (NVMe)', nvme({critical_warning: 2}), 0, 'degraded temperature'],
	['is worn (NVMe)', nvme({percentage_used: 104}), 0, 'degraded wear'],
];
for (const [title, report, exitCode, expected] of verdicts) {
	test(`a disk that ${title}: ${expected}`, t => {
		const read = readReport(JSON.stringify(report));
		if (!read) return t.fail('no report');
		const {state, errorType} = verdictOf(read, exitCode);
		return t.is([state, errorType].filter(Boolean).join(' '), expected);
	});
}

test('a disk that rests is not woken, keeps its state and is no trouble', async t => {
	const stage = await hostStage(t);
	const tool = await smartctl(stage, ata({smart_status: {passed: false}}), 8);
	await stage.start({smart: {smartctl: tool}});
	await eventsCome(stage, 1);
	const message = {string: 'Device is in STANDBY mode, exit(2)', severity: 'information'};
	await smartctl(stage, {json_format_version: [1, 0], smartctl: {exit_status: 2, messages: [message]}}, 2);
	await eventually(() => stage.readings.get('host/smart')?.length === 0);
	t.is(stage.state(), 'working');
	t.deepEqual(told(stage), ['physical_disk/z1d2abcd failed']);
});

test('a refused device, no JSON, an old smartctl and none at all are said with the way out', async t => {
	const stage = await hostStage(t);
	const message = {string: 'Smartctl open device: /dev/sda failed: Permission denied', severity: 'error'};
	const tool = await smartctl(stage, {json_format_version: [1, 0], smartctl: {exit_status: 2, messages: [message]}}, 2);
	const first = await stage.start({smart: {smartctl: tool}});
	await stateIs(stage, 'failing');
	t.regex(stage.states.at(-1)?.reason ?? '', /Permission denied. It takes root, or CAP_SYS_RAWIO/);
	await smartctl(stage, '{"smartctl": ');
	await eventually(() => /gave no report/.test(stage.states.at(-1)?.reason ?? ''));
	await first.stop();
	await script(stage.directory, 'old', 'echo "smartctl 6.6: UNRECOGNIZED OPTION: json=c"; exit 1');
	const second = await stage.start({smart: {smartctl: join(stage.directory, 'old')}});
	await eventually(() => /7\.0 or newer/.test(stage.states.at(-1)?.reason ?? ''));
	await second.stop();
	await stage.start({smart: {smartctl: 'callhome-no-smartctl'}});
	await stateIs(stage, 'absent');
	t.regex(stage.states.at(-1)?.reason ?? '', /not installed.*smartmontools/);
});

test('a smartctl that hangs is killed and said, and read again when it answers', async t => {
	const stage = await hostStage(t);
	const tool = await script(stage.directory, 'smartctl', 'sleep 300');
	await stage.start({smart: {smartctl: tool}}, '2s');
	await stateIs(stage, 'failing');
	t.regex(stage.states.at(-1)?.reason ?? '', /did not end within 2 s and was killed/);
	await smartctl(stage, ata());
	await stateIs(stage, 'working');
});

test('a disk that told its health and no longer does, twice in a row, is degraded; one that never did is not', async t => {
	const stage = await hostStage(t);
	const silent = ata({smart_status: undefined, ata_smart_attributes: undefined});
	const tool = await smartctl(stage, silent, 4);
	await stage.start({smart: {smartctl: tool}});
	await eventually(() => stage.marks.get('host/smart')?.includes('"doubtful":["physical_disk/z1d2abcd"]'));
	t.is(stage.events.length, 0);
	await smartctl(stage, ata());
	await eventually(() => stage.marks.get('host/smart')?.includes('"readable":["physical_disk/z1d2abcd"]'));
	await smartctl(stage, silent, 4);
	await eventsCome(stage, 1);
	t.deepEqual(told(stage), ['physical_disk/z1d2abcd degraded unreadable']);
});

testWithPeer('smartctl', 'the real smartctl is understood, also about a device that has no health', async t => {
	const stage = await hostStage(t);
	const device = join(stage.directory, 'no-disk');
	await writeFile(device, 'x'.repeat(4096));
	const binary = requiredPeer('smartctl');
	const devices = [
		{name: device, type: 'sat'},
		{name: join(stage.directory, 'nothing'), type: 'sat'},
	];
	const first = await stage.start({smart: {smartctl: binary, devices}});
	await stateIs(stage, 'failing');
	t.regex(stage.states.at(-1)?.reason ?? '', /nothing: .*No such/);
	await eventually(() => /"doubtful":\["physical_disk\/[^"]*no-disk"\]/.test(stage.marks.get('host/smart') ?? ''));
	await first.stop();
	const before = stage.states.length;
	await stage.start({smart: {smartctl: binary}});
	await eventually(() => stage.states.length > before);
	t.notRegex(stage.states.at(-1)?.reason ?? '', /gave no JSON/);
	t.is(stage.events.length, 0);
});

const smartLog = (changes: object = {}) =>
	JSON.stringify({
		critical_warning: 0,
		temperature: 311,
		avail_spare: 100,
		spare_thresh: 10,
		percent_used: 4,
		media_errors: '0',
		...changes,
	});

test('without smartctl, nvme reads the NVMe disks, in kelvins and with numbers as texts', async t => {
	const stage = await hostStage(t);
	await plant(stage.directory, {'sys/class/nvme/nvme0/serial': 'S3EVNX0', 'sys/class/nvme/nvme0/model': 'SAMSUNG MZ'});
	const say = (text: string) => script(stage.directory, 'nvme', `echo '${text}'`);
	const tool = await say(smartLog());
	await stage.start({nvme: {nvme: tool}});
	await eventually(() => stage.marks.has('host/nvme'));
	t.is(readingOf(stage, 'nvme', 'hw.temperature', {}), 38);
	await say(smartLog({critical_warning: {value: 4, nvm_subsystem_reliability: 1}}));
	await eventsCome(stage, 1);
	await say(smartLog({critical_warning: 4, media_errors: '12'}));
	await eventsCome(stage, 2);
	t.deepEqual(told(stage), ['physical_disk/s3evnx0 failed', 'physical_disk/s3evnx0 predicted_failure growing_errors']);
});

test('where smartctl reads them, nvme is not asked', async t => {
	const stage = await hostStage(t);
	await plant(stage.directory, {'sys/class/nvme/nvme0/serial': 'S3EVNX0'});
	const tool = await smartctl(stage, nvme({}));
	await stage.start({smart: {smartctl: tool}, nvme: {nvme: join(stage.directory, 'nvme')}});
	await eventually(() => stage.states.some(({source, state}) => source === 'host/nvme' && state === 'absent'));
	t.true(stage.states.some(({reason}) => reason === 'receivers.host.smart reads the NVMe disks'));
});

test('a report of any shape is read or is none', t => {
	const strange = fc.oneof(fc.jsonValue({maxDepth: 2}), fc.constant(undefined));
	const keys = Object.keys({...nvme({}), scsi_grown_defect_list: 0, scsi_error_counter_log: {}, model_name: ''});
	const report = fc.record(Object.fromEntries(keys.map(key => [key, strange])), {requiredKeys: []});
	fc.assert(
		fc.property(report, fc.nat(255), (changes, exitCode) => {
			const read = readReport(JSON.stringify({...ata(), ...changes, json_format_version: [1, 0], smartctl: {exit_status: 0}}));
			if (!read) return false;
			const {state} = verdictOf(read, exitCode);
			const part = partOfReport(read, '/dev/sda');
			countersOf(read);
			return state !== undefined && part.id !== '' && readingsOf(read, part, state).every(({value}) => Number.isFinite(value));
		}),
		{numRuns: 200},
	);
	fc.assert(
		fc.property(fc.oneof(fc.json(), fc.string()), text => {
			readReport(text);
			readScan(text);
			readSmartLog(text);
			return true;
		}),
		{numRuns: 200},
	);
	t.is(readReport('[]'), undefined);
});
