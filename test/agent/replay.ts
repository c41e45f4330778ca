import {mkdtempSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {replay} from '../../src/agent/replay.ts';
import {parseConfig} from '../../src/config.ts';
import {readSelLine} from '../../src/receivers/recorded/sel-dump.ts';
import {readTrap} from '../../src/receivers/recorded/trap-log.ts';
import {temporaryDirectory} from '../helpers/listen.ts';

const {config} = parseConfig(
	JSON.stringify({
		exporter: {sandbox: {}},
		consent: {cases: true},
		systems: [{match: {'host.name': 'db01'}, machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C'}],
	}),
	'.',
	{},
);
if (!config) throw new Error('the configuration has a fault');

async function run(t: ExecutionContext, lines: readonly string[], host = 'db01') {
	const file = join(mkdtempSync(join(await temporaryDirectory(t), 'r')), 'recording');
	writeFileSync(file, lines.join('\n'));
	return replay(config as NonNullable<typeof config>, file, {host});
}

const sel = [
	'17 | 01/27/2015 | 11:31:21 | OS Boot | C: boot completed | Asserted',
	'18 | 01/27/2015 | 11:41:08 | Memory | Correctable ECC | Asserted | CPU 0 DIMM 8',
	'19 | 01/27/2015 | 11:42:08 | Memory | Uncorrectable ECC | Asserted | CPU 0 DIMM 8',
	'1a | 01/27/2015 | 11:43:08 | Memory | Uncorrectable ECC | Asserted | CPU 0 DIMM 8',
	'1b | Pre-Init Time-stamp | Memory #0x12 | Uncorrectable ECC | Asserted',
	'this is no entry',
	'SEL has no more entries',
];

test('a SEL dump: what would open, what is merged and held, and the line that is none', async t => {
	const {problems, decisions, bad, events, lines} = await run(t, sel);
	t.is(lines, 7);
	t.is(events, 5);
	t.deepEqual(
		bad.map(({line}) => line),
		[6],
	);
	t.true(problems.some(({state, count}) => state === 'queued' && count >= 2));
	t.true((decisions.duplicate ?? 0) >= 1);
	t.true(problems.some(({state, reason}) => state === 'held' && reason === 'not_serviceable'));
	const unknown = await run(t, sel, 'db99');
	t.true(unknown.problems.some(({reason}) => reason === 'unknown_system'));
});

const trap = (at: string, varbinds: Record<string, string>) => [
	`2026-11-23 ${at} imm01 [UDP: [192.0.2.1]:161->[192.0.2.9]:162]:`,
	[
		'.1.3.6.1.6.3.1.1.4.1.0 = OID: .1.3.6.1.4.1.2.6.158.5.0.5',
		...Object.entries(varbinds).map(([arc, value]) => `.1.3.6.1.4.1.2.6.158.5.1.${arc} = ${value}`),
	].join('\t'),
];

test('a log of traps: the module says what is serviceable and what is a test', async t => {
	const label = {6: 'STRING: "J1A2B3C"', 22: 'STRING: "8871AC1"', 8: 'INTEGER: 0', 19: 'INTEGER: 1'};
	const {problems} = await run(t, [
		...trap('10:00:00', {...label, 9: 'STRING: "Drive 3 fault"', 20: 'INTEGER: 0'}),
		...trap('10:01:00', {...label, 9: 'STRING: "Test alert"', 20: 'INTEGER: 1'}),
		...trap('10:02:00', {...label, 9: 'STRING: "Remote login"', 8: 'INTEGER: 4', 19: 'INTEGER: 0'}),
	]);
	const found = Object.fromEntries(problems.map(({title, state, test}) => [title, `${state} ${test}`]));
	t.deepEqual(found, {'Drive 3 fault': 'queued false', 'Test alert': 'queued true', 'Remote login': 'held false'});
});

test('OTLP in JSON, one request a line, with what is broken named by its number', async t => {
	const request = {
		resourceLogs: [
			{
				resource: {attributes: [{key: 'host.name', value: {stringValue: 'db01'}}]},
				scopeLogs: [
					{logRecords: [{eventName: 'callhome.hardware.alert', severityNumber: 17, body: {stringValue: 'Fan 1 failed'}}]},
				],
			},
		],
	};
	const {problems, bad} = await run(t, [JSON.stringify(request), '{"resourceLogs": [', '{}', '', '\u0000']);
	t.like(problems, [{state: 'queued', title: 'Fan 1 failed'}]);
	t.deepEqual(
		bad.map(({line}) => line),
		[2, 3, 5],
	);
});

test('any line is read as an event or as none, and the store of the dry run is gone afterwards', async t => {
	const piece = fc.oneof(
		fc.constantFrom(
			'|',
			' ',
			'\t',
			'18',
			'01/27/2015',
			'99/99/9999',
			'25:61:61',
			'Asserted',
			'Memory',
			'.1.3.6.1.4.1.2.6.158.5.1.8 = ',
		),
		fc.string(),
	);
	fc.assert(
		fc.property(fc.array(piece), parts => {
			const line = parts.join('|');
			const events = [readSelLine(line, 'h', 1), readTrap('2026-11-23 10:00:00 h [x]', line, 1)];
			return events.every(event => event === undefined || Number.isFinite(event.occurredAt));
		}),
		{numRuns: 300},
	);
	const before = process.env.TMPDIR;
	const directory = await temporaryDirectory(t);
	process.env.TMPDIR = directory;
	await run(t, sel);
	t.deepEqual(
		readdirSync(directory).filter(name => name.startsWith('callhome-replay')),
		[],
	);
	process.env.TMPDIR = before;
	if (before === undefined) delete process.env.TMPDIR;
});
