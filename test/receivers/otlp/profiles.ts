import test from 'ava';
import fc from 'fast-check';
import type {HardwareEvent} from '../../../src/event.ts';
import {ofSyslog} from '../../../src/receivers/otlp/profiles.ts';
import {createReaders} from '../../../src/receivers/otlp/reading.ts';
import {defaultSelection, selectionSchema} from '../../../src/receivers/otlp/selection.ts';

const now = Date.UTC(2026, 10, 23, 12);
const readers = createReaders(defaultSelection);
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const anyOf = (value: string | number) => (typeof value === 'number' ? {doubleValue: value} : {stringValue: value});
const attributesOf = (attributes: Record<string, string | number>) =>
	Object.entries(attributes).map(([key, value]) => ({key, value: anyOf(value)}));

const logs = (body: string, severityNumber: number, attributes: Record<string, string>, resource: Record<string, string> = {}) =>
	bytes({
		resourceLogs: [
			{
				resource: {attributes: attributesOf(resource)},
				scopeLogs: [
					{
						logRecords: [
							{
								timeUnixNano: String(BigInt(now) * 1_000_000n),
								severityNumber,
								body: {stringValue: body},
								attributes: attributesOf(attributes),
							},
						],
					},
				],
			},
		],
	});

const points = (name: string, values: readonly number[], attributes: Record<string, string> = {}) =>
	bytes({
		resourceMetrics: [
			{
				scopeMetrics: [
					{
						metrics: [
							{
								name,
								gauge: {
									dataPoints: values.map((asDouble, index) => ({
										timeUnixNano: String(BigInt(now + index) * 1_000_000n),
										asDouble,
										attributes: attributesOf(attributes),
									})),
								},
							},
						],
					},
				],
			},
		],
	});

const syslog = {appname: 'imm', hostname: 'db01-imm'};
const levels = (events: readonly HardwareEvent[]) =>
	events.map(({attributes, measurement}) => `${attributes['hw.state']} ${measurement?.value}`);

test("a syslog line with an IMM's event id is selected, and the machine is the one that wrote it", t => {
	const text = 'An uncorrectable bus error has occurred. 0x806F010C-0401FFFF CPU 1 DIMM 08';
	const {events} = readers.logs.json(logs(text, 17, syslog, {'host.name': 'relay'}), now);
	t.is(events.length, 1);
	t.like(events[0]?.attributes, {
		'callhome.event.code': '806F010C0401FFFF',
		'callhome.profile': 'syslog',
		'hw.type': 'memory',
		'hw.name': 'memory 1/8',
	});
	t.is(events[0]?.resource['host.name'], 'db01-imm');
	t.is(events[0]?.message, text);
	t.false('hw.state' in (events[0]?.attributes ?? {}), 'the id itself tells the state');
});

test('later codes tell by their last letter, and what is over is well', t => {
	const attributesOf = (text: string, severity = 17) => ofSyslog(text, severity, syslog, {}).attributes;
	t.like(attributesOf('FQXSPPU0001N CPU 1 has failed'), {
		'hw.state': 'failed',
		'hw.type': 'cpu',
		'callhome.event.code': 'FQXSPPU0001N',
	});
	t.is(attributesOf('FQXSPFA0002J Fan 2A speed')['hw.state'], 'degraded');
	t.like(attributesOf('FQXSPSE4000I login from 192.0.2.1', 17), {'callhome.serviceable': 'false'});
	t.false('hw.state' in attributesOf('FQXSPSE4000I login from 192.0.2.1', 17));
	t.is(attributesOf('FQXSPPU0001N CPU 1 has recovered', 9)['hw.state'], 'ok');
	t.like(attributesOf('EDAC MC0: 1 UE memory read error on CPU_SrcID#0_MC#0_Chan#0_DIMM#0'), {
		'error.type': 'uncorrected',
		'hw.state': 'failed',
	});
	t.like(attributesOf('EDAC MC0: 1 CE memory read error'), {'error.type': 'corrected'});
});

test('other lines of syslog, and texts of programs that are no syslog, are not selected', t => {
	const count = (body: string, attributes: Record<string, string>) =>
		readers.logs.json(logs(body, 17, attributes), now).events.length;
	t.is(count('sshd: failed password', syslog), 0);
	t.is(count('0x806F010C-0401FFFF', {service: 'shop'}), 0);
	t.is(count('mce: [Hardware Error]: CPU 3: Machine Check', {facility: '0'}), 1);
	const without = createReaders(selectionSchema.parse({logs: {bmc_syslog: null, kernel_hardware_error: null}}));
	t.is(without.logs.json(logs('0x806F010C-0401FFFF', 17, syslog), now).events.length, 0);
});

test("the Collector's redfish receiver: each health says of both states whether the fan is in it", t => {
	const attributes = {'system.host_name': 'db01', base_url: 'https://192.0.2.1', 'chassis.id': '1U', 'fan.name': 'Fan 2A'};
	const {events} = readers.metrics.json(points('fan.status.health', [1, 2, 0, -1, 1], attributes), now);
	t.deepEqual(levels(events), [
		'failed 0',
		'degraded 0',
		'failed 0',
		'degraded 1',
		'failed 1',
		'degraded 0',
		'failed 0',
		'degraded 0',
	]);
	t.is(new Set(events.map(({measurement}) => measurement?.series)).size, 2);
	t.like(events[0]?.attributes, {'hw.id': 'fan/1U/Fan 2A', 'hw.type': 'fan', 'hw.name': 'Fan 2A', 'hw.parent': '1U'});
	t.like(events[0]?.resource, {'host.name': 'db01', 'server.address': '192.0.2.1'});
	t.is(readers.metrics.json(points('fan.reading', [0], attributes), now).events.length, 0);
});

test("the Collector's redfish receiver: a part stays itself while the name of its machine comes and goes, and is not another's", t => {
	const part = (attributes: Record<string, string>) => {
		const [event] = readers.metrics.json(points('fan.status.health', [0], {'fan.name': 'Fan 2A', ...attributes}), now).events;
		return {series: event?.measurement?.series, resource: event?.resource};
	};
	const up = part({base_url: 'https://192.0.2.1', 'system.host_name': 'db01'});
	const down = part({base_url: 'https://192.0.2.1', 'system.host_name': ''});
	t.is(down.series, up.series);
	t.deepEqual(down.resource, {'server.address': '192.0.2.1'});
	const other = part({base_url: 'https://192.0.2.2:8443', 'system.host_name': ''});
	t.not(other.series, up.series);
	t.deepEqual(other.resource, {'server.address': '192.0.2.2:8443'});
	t.deepEqual(part({base_url: 'nowhere'}).resource, {});
});

test("the Collector's redfish receiver: the machine as a whole is believed at the second time, a part at once", t => {
	const confirmed = (name: string) =>
		readers.metrics.json(points(name, [0], {base_url: 'https://192.0.2.1'}), now).events[0]?.measurement?.confirm;
	t.deepEqual(confirmed('system.status.health'), {count: 2, of: 3});
	t.deepEqual(confirmed('chassis.status.health'), {count: 2, of: 3});
	t.is(confirmed('temperature.status.health'), undefined);
});

test("MetricsHub's older labels are read as those of the conventions", t => {
	const labels = {id: 'd3', name: 'Drive 3', state: 'failed', serial_number: 'ZX9', 'hw.type': 'physical_disk'};
	const [event] = readers.metrics.json(points('hw.status', [1], labels), now).events;
	t.like(event?.attributes, {'hw.id': 'd3', 'hw.name': 'Drive 3', 'hw.state': 'failed', 'hw.serial_number': 'ZX9'});
});

test('a threshold ends below another value, and between the two it stays', t => {
	const selection = selectionSchema.parse({
		metrics: {hot: {name: 'hw.temperature', above: 50, clear_below: 47, samples: {count: 3, of: 5}}},
	});
	const {events} = createReaders(selection).metrics.json(
		points('hw.temperature', [49, 51, 48, 47, 46, 50], {'hw.id': 't1'}),
		now,
	);
	t.deepEqual(
		events.map(({measurement}) => measurement?.value),
		[1, 0, 0],
	);
	t.deepEqual(events[0]?.measurement?.confirm, {count: 3, of: 5});
	t.is(new Set(events.map(({measurement}) => measurement?.series)).size, 1);
});

test('thresholds that cannot work are faults', t => {
	const faultsOf = (rule: object) =>
		selectionSchema
			.safeParse({metrics: {hot: {name: 'x', ...rule}}})
			.error?.issues.map(({message}) => message)
			.join() ?? '';
	t.regex(faultsOf({above: 5, clear_below: 6}), /not more than it/);
	t.regex(faultsOf({clear_below: 6}), /goes with above/);
	t.regex(faultsOf({above: 5, samples: {count: 2, of: 4}}), /not more than half/);
	t.regex(faultsOf({above: 5, samples: {count: 5, of: 4}}), /more than samples.of/);
	t.regex(faultsOf({growing: true, samples: {count: 3, of: 4}}), /speaks for itself/);
	t.is(faultsOf({health: true, samples: {count: 3, of: 4}}), '');
});

test('any text of syslog gives attributes, and nothing else happens', t => {
	const words = fc.constantFrom(
		'0x806F010C',
		'-',
		'0401FFFF',
		'FQXSPPU0001N',
		'DIMM 8',
		'EDAC MC0: 1 UE',
		'deasserted',
		' ',
		'\u0000',
		'9'.repeat(300),
	);
	fc.assert(
		fc.property(fc.array(fc.oneof(words, fc.string())), fc.integer({min: 0, max: 24}), (parts, severity) => {
			const {attributes} = ofSyslog(parts.join(' '), severity, syslog, {});
			return attributes['callhome.profile'] === 'syslog' && Object.values(attributes).every(value => typeof value === 'string');
		}),
		{numRuns: 300},
	);
	t.pass();
});
