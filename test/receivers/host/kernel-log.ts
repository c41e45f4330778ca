import {execFileSync} from 'node:child_process';
import {appendFile, mkdir, rm, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {saidIn} from '../../../src/receivers/host/kernel-patterns.ts';
import {readJournal, readRecord} from '../../../src/receivers/host/kernel-records.ts';
import {eventsCome, type HostStage, hostStage, plant, script, stateIs, told} from '../../helpers/host.ts';
import {eventually} from '../../helpers/listen.ts';

const edacLine = 'EDAC MC0: 1 UE memory read error on CPU 0 DIMM 8 (channel:0 slot:0 page:0x0 offset:0x0 grain:32)';

/** Lines as the kernel writes them, and what they mean. */
const lines: readonly (readonly [line: string, meaning: string | undefined])[] = [
	[edacLine, 'memory/0/8 failed uncorrected'],
	['EDAC MC0: 3 CE memory scrubbing error on DIMM_A1 (channel:0 slot:0 page:0x0)', 'memory/a1 undefined corrected'],
	['EDAC MC1: 1 UE unknown on any memory ( page:0x0 offset:0x0 grain:32)', 'memory/mc1 failed uncorrected'],
	['mce: [Hardware Error]: CPU 4: Machine Check: 0 Bank 7: 8c00004000010091', 'cpu/4 undefined corrected'],
	['mce: [Hardware Error]: CPU 4: Machine Check Exception: 5 Bank 3: be00000000800400', 'cpu/4 failed uncorrected'],
	['mce: [Hardware Error]: Machine check events logged', undefined],
	['mce: CPU3: Core temperature above threshold, cpu clock throttled (total events = 1)', 'temperature/cpu-3 degraded undefined'],
	['mce: CPU3: Core temperature/speed normal', 'temperature/cpu-3 ok undefined'],
	['pcieport 0000:00:1c.0: AER: Corrected error received: 0000:01:00.0', 'pci/0000:01:00.0 undefined corrected'],
	[
		'pcieport 0000:00:1c.0: AER: Uncorrectable (Fatal) error message received from 0000:01:00.0',
		'pci/0000:01:00.0 failed uncorrected',
	],
	[
		'nvme 0000:01:00.0: PCIe Bus Error: severity=Uncorrected (Non-Fatal), type=Transaction Layer, (Requester ID)',
		'pci/0000:01:00.0 failed uncorrected',
	],
	['critical medium error, dev sdb, sector 1953525160 op 0x0:(READ) flags 0x0', 'physical_disk/sdb failed bad_sector'],
	['blk_update_request: I/O error, dev sda, sector 2048 op 0x0:(READ)', 'physical_disk/sda degraded undefined'],
	['I/O error, dev fd0, sector 0 op 0x0:(READ)', undefined],
	['Buffer I/O error on dev sda1, logical block 0, async page read', 'physical_disk/sda1 degraded undefined'],
	['sd 0:0:0:0: [sda] tag#0 Sense Key : Medium Error [current]', 'physical_disk/sda failed uncorrected'],
	['ata3.00: exception Emask 0x0 SAct 0x0 SErr 0x0 action 0x6 frozen', 'physical_disk/ata3 degraded undefined'],
	['ata3.00: error: { UNC }', 'physical_disk/ata3 failed bad_sector'],
	['nvme nvme0: I/O 123 QID 4 timeout, aborting', 'physical_disk/nvme0 degraded undefined'],
	['nvme nvme0: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS=0xffff', 'physical_disk/nvme0 failed undefined'],
	['md/raid1:md0: Disk failure on sdc1, disabling device.', 'physical_disk/sdc1 failed undefined'],
	['Memory failure: 0x12345: recovery action for dirty LRU page: Recovered', 'memory/unknown failed uncorrected'],
	['Out of memory: Killed process 1234 (java) total-vm:1kB', undefined],
	['EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2: comm ls: reading directory lblock 0', undefined],
	['audit: type=1400 msg="EDAC MC0: 1 UE memory read error on CPU 0 DIMM 8 (x"', undefined],
	['usb 1-1: new high-speed USB device', undefined],
];

for (const [line, meaning] of lines) {
	test(`${meaning ?? 'nothing'}: ${line.slice(0, 60)}`, t => {
		const said = saidIn(line, new Map());
		t.is(said && `${said.part.id} ${said.state} ${said.errorType}`, meaning);
	});
}

test('a record of the firmware is bad as its first line says, and about what a later one names', t => {
	const firmware = new Map<string, string>();
	const said = [
		'{1}[Hardware Error]: Hardware error from APEI Generic Hardware Error Source: 1',
		'{1}[Hardware Error]: event severity: recoverable',
		'{2}[Hardware Error]: event severity: corrected',
		'{1}[Hardware Error]:   section_type: memory error',
		'{2}[Hardware Error]:   section_type: PCIe error',
		'{9}[Hardware Error]:   section_type: memory error',
	].map(line => saidIn(line, firmware));
	t.deepEqual(
		said.map(one => one && `${one.part.type} ${one.state} ${one.errorType}`),
		[undefined, undefined, undefined, 'memory failed uncorrected', 'undefined undefined corrected', undefined],
	);
});

let sequence = 100;
const record = (text: string, priority = 3) => `${priority},${sequence++},1000000,-;${text}\n SUBSYSTEM=x\n`;
const kmsgOf = ({directory}: HostStage) => join(directory, 'dev/kmsg');

async function withKmsg(stage: HostStage, text: string): Promise<void> {
	await mkdir(join(stage.directory, 'dev'), {recursive: true});
	await writeFile(kmsgOf(stage), text);
}

test('the kernel is heard as it speaks, with the time of its own clock, and a program that speaks like it is not', async t => {
	const stage = await hostStage(t);
	await withKmsg(stage, record(edacLine) + record(edacLine.replace('DIMM 8', 'DIMM 9'), 11));
	await stage.start({kernel_log: {}});
	await eventsCome(stage, 1);
	await appendFile(kmsgOf(stage), record('critical medium error, dev sdb, sector 5 op 0x0:(READ)'));
	await eventsCome(stage, 2);
	t.deepEqual(told(stage), ['memory/0/8 failed uncorrected', 'physical_disk/sdb failed bad_sector']);
	const age = Date.now() - (stage.events[0]?.occurredAt ?? 0);
	t.true(age > 900_000 && age < 1_200_000, `${age} ms old`);
});

test('after a restart nothing is told again, and after a boot the numbers begin again', async t => {
	const stage = await hostStage(t);
	await withKmsg(stage, record(edacLine));
	const first = await stage.start({kernel_log: {}});
	await eventually(() => stage.marks.has('host/kernel_log'));
	await first.stop();
	await appendFile(kmsgOf(stage), record('nvme nvme0: controller is down; will reset: CSTS=0xffffffff'));
	const second = await stage.start({kernel_log: {}});
	await eventsCome(stage, 2);
	await second.stop();
	await withKmsg(stage, `3,1,5,-;${edacLine}\n`);
	await plant(stage.directory, {'proc/sys/kernel/random/boot_id': 'boot-2'});
	await stage.start({kernel_log: {}});
	await eventsCome(stage, 3);
	t.deepEqual(told(stage), ['memory/0/8 failed uncorrected', 'physical_disk/nvme0 failed', 'memory/0/8 failed uncorrected']);
});

test('what was read while nothing could be kept is read again', async t => {
	const stage = await hostStage(t);
	stage.refuses = true;
	await withKmsg(stage, record(edacLine));
	await stage.start({kernel_log: {}});
	await stateIs(stage, 'failing');
	stage.refuses = false;
	await eventsCome(stage, 1);
	await eventually(() => stage.marks.has('host/kernel_log'));
	t.is(stage.events.length, 1);
});

test('a thousand lines of one fault are one event, and corrected errors come once an hour', async t => {
	const stage = await hostStage(t);
	const ce = 'EDAC MC0: 1 CE memory read error on CPU 0 DIMM 8 (channel:0)';
	await withKmsg(stage, Array.from({length: 1000}, () => record('I/O error, dev sda, sector 9') + record(ce)).join(''));
	await stage.start({kernel_log: {}});
	await eventsCome(stage, 2);
	await eventually(() => stage.marks.has('host/kernel_log'));
	await appendFile(kmsgOf(stage), record(ce) + record(edacLine));
	await eventsCome(stage, 3);
	t.deepEqual(told(stage), ['physical_disk/sda degraded', 'memory/0/8 told corrected', 'memory/0/8 failed uncorrected']);
	t.is(stage.events[0]?.attributes['callhome.host.repeated'], 1000);
});

test('a disk is known by its serial number, whether the kernel names it, its partition or its port', async t => {
	const stage = await hostStage(t);
	const disk = 'sys/devices/pci0/ata3/host2/block/sda';
	await plant(stage.directory, {
		[`${disk}/device/model`]: 'ST1000',
		[`${disk}/device/vpd_pg80`]: '\u0000\u0080\u0000\u0008Z1D2ABCD',
		'sys/class/nvme/nvme0/serial': 'S3EVNX0 ',
		'sys/class/nvme/nvme0/model': 'SAMSUNG MZ',
	});
	await mkdir(join(stage.directory, 'sys/block'));
	await symlink('../devices/pci0/ata3/host2/block/sda', join(stage.directory, 'sys/block/sda'));
	await withKmsg(stage, record('ata3.00: error: { UNC }') + record('nvme nvme0: I/O 1 QID 4 timeout, aborting'));
	await stage.start({kernel_log: {}});
	await eventsCome(stage, 2);
	t.deepEqual(told(stage), ['physical_disk/z1d2abcd failed bad_sector', 'physical_disk/s3evnx0 degraded']);
	t.is(stage.events[0]?.attributes['hw.name'], 'ST1000 /dev/sda');
});

test('a pipe in the place of the device neither blocks nor is lost', async t => {
	const stage = await hostStage(t);
	await mkdir(join(stage.directory, 'dev'));
	execFileSync('mkfifo', [kmsgOf(stage)]);
	await stage.start({kernel_log: {}});
	await stateIs(stage, 'working');
	await writeFile(kmsgOf(stage), record(edacLine));
	await eventsCome(stage, 1);
	t.deepEqual(told(stage), ['memory/0/8 failed uncorrected']);
});

const journal = (cursor: string, message: unknown) =>
	JSON.stringify({__CURSOR: cursor, __REALTIME_TIMESTAMP: `${Date.now()}000`, _BOOT_ID: 'b', MESSAGE: message});

test('where the device may not be read, the journal is, from where it was left', async t => {
	const stage = await hostStage(t);
	const arguments_ = join(stage.directory, 'arguments');
	await writeFile(
		join(stage.directory, 'first'),
		`${journal('c1', edacLine)}\n${journal('c2', [...Buffer.from('nvme nvme0: I/O 1 QID 4 timeout, aborting')])}\nno json\n`,
	);
	await writeFile(join(stage.directory, 'later'), `${journal('c3', 'critical medium error, dev sdb, sector 5')}\n`);
	const journalctl = await script(
		stage.directory,
		'journalctl',
		`echo "$*" >> ${arguments_}\ncase "$*" in *cursor=c2*) cat ${stage.directory}/later;; *cursor*) ;; *) cat ${stage.directory}/first;; esac`,
	);
	await stage.start({kernel_log: {journalctl}});
	await eventsCome(stage, 3);
	await eventually(() => stage.marks.get('host/kernel_log/journal') === '{"cursor":"c3"}');
	t.deepEqual(told(stage), [
		'memory/0/8 failed uncorrected',
		'physical_disk/nvme0 degraded',
		'physical_disk/sdb failed bad_sector',
	]);
});

test('where neither may be read it says which right is missing', async t => {
	const stage = await hostStage(t);
	const journalctl = await script(
		stage.directory,
		'journalctl',
		'echo "No journal files were opened due to insufficient permissions." >&2',
	);
	const first = await stage.start({kernel_log: {journalctl}});
	await stateIs(stage, 'failing');
	t.regex(
		stage.states[0]?.reason ?? '',
		/kmsg cannot be read \(ENOENT: it takes CAP_SYSLOG.*insufficient permissions.*systemd-journal/,
	);
	await first.stop();
	await rm(journalctl);
	await stage.start({kernel_log: {journalctl}});
	await stateIs(stage, 'absent');
	t.is(stage.events.length, 0);
});

test('no line of the kernel or of the journal upsets the readers', t => {
	const bits = fc.constantFrom(
		'EDAC MC0: 1 UE x on ',
		'AER: ',
		'{1}[Hardware Error]: ',
		'ata1',
		': ',
		'dev sda',
		'3,1,1,-;',
		'\\x00',
		';',
		',',
	);
	const line = fc.oneof(
		fc.string({maxLength: 300}),
		fc.array(fc.oneof(bits, fc.string({maxLength: 20})), {maxLength: 12}).map(all => all.join('')),
	);
	fc.assert(
		fc.property(line, text => {
			const read = readRecord(text);
			const said = saidIn(read?.text ?? text, new Map());
			const entry = readJournal(text) ?? readJournal(JSON.stringify({__CURSOR: text, MESSAGE: text}));
			return (said === undefined || said.part.id !== '') && (entry === undefined || typeof entry.text === 'string');
		}),
		{numRuns: 300},
	);
	t.is(readRecord(`3,1,1,-;${'x'.repeat(100_000)}`)?.text.length, 4096);
	t.is(readRecord('3,99999999999999999,1,-;x'), undefined);
	t.is(readRecord(' SUBSYSTEM=pci'), undefined);
});
