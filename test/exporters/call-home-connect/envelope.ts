import test from 'ava';
import fc from 'fast-check';
import {envelopeOf} from '../../../exporters/call-home-connect/envelope.ts';
import {maxAskedTransactions} from '../../../exporters/call-home-connect/event-body.ts';
import {envelopeIdOf, transactionIdOf} from '../../../exporters/call-home-connect/ids.ts';
import type {Submission} from '../../../src/submission.ts';
import {submissionTypes} from '../../../src/submission.ts';
import {createdAt, fault, inventory, keys, optionsOf, parties, submissionOf, system} from '../../helpers/submissions.ts';

type Json = Record<string, unknown>;
type Wire = Json & {events: [{header: Json; body: Json & {payload: Json; context: Json}}]};

/** As IBM reads it. */
function wire(submission: Submission, options = optionsOf()): Wire {
	return JSON.parse(JSON.stringify(envelopeOf(submission, options, parties)));
}
const bodyOf = (submission: Submission, options = optionsOf()) => wire(submission, options).events[0].body;

test('the envelope names the client, the machine, the time and the protocol', t => {
	const {events, ...envelope} = wire(submissionOf('hardware_alert'));
	t.deepEqual(envelope, {
		agent: 'callhome-bridge',
		...keys,
		target_space: 'prod',
		asset: '8871-AC1',
		asset_id: 'J1A2B3C',
		asset_type: 'Power',
		asset_vendor: 'IBM',
		asset_virtual_id: '0000000000000000',
		country_code: 'CH',
		event_id: `IBM_callhome-bridge_8871-AC1_J1A2B3C_${createdAt}_p1`,
		event_time: '2026-11-23 17:04:05',
		event_time_ms: createdAt,
		software_level: optionsOf().software_level,
		type: 'eccnext_apisv1s',
		version: '1.0.0.1',
		analytics_event_source_type: 'asset_event',
		analytics_type: '8871-AC1',
		analytics_instance: 'J1A2B3C',
		analytics_virtual_id: '0000000000000000',
		analytics_group: 'IBM',
		analytics_category: 'Power',
	});
	t.is(events.length, 1);
});

for (const [type, eventType] of [
	['hardware_alert', 'service'],
	['test', 'service'],
	['status', 'status'],
	['heartbeat', 'last_contact'],
	['case_query', 'last_contact'],
	['confirmation', 'confirm_response'],
	['connection_report', 'status'],
	['inventory', 'inventory'],
] as const) {
	test(`${type} is a ${eventType} event under the submission's own transaction id`, t => {
		const submission = submissionOf(type, {transactionId: 'an id stored before the first attempt'});
		t.deepEqual(wire(submission).events[0].header, {
			event_type: eventType,
			event_id: 'an id stored before the first attempt',
			event_time: '2026-11-23 17:04:05',
			event_time_ms: createdAt,
		});
	});
}

test('a retry repeats the bytes, whatever became of the queue row meanwhile', t => {
	for (const type of submissionTypes) {
		const first = submissionOf(type, {aboutTransactionId: 'service_1'});
		const later = {...structuredClone(first), attempts: 7, rounds: 3, uncertain: true, notBefore: createdAt + 86_400_000};
		t.is(JSON.stringify(envelopeOf(later, optionsOf(), parties)), JSON.stringify(envelopeOf(first, optionsOf(), parties)), type);
	}
});

test('a hardware alert opens a case for the machine, reported by the bridge', t => {
	const {note, payload, ...body} = bodyOf(submissionOf('hardware_alert'));
	t.deepEqual(body, {
		component: 'callhome_bridge_service',
		context: {origin: 2, timestamp: Math.trunc(createdAt / 1000), transid: createdAt},
		description: '806F0108 Power supply 2 has failed',
		customer: '1234567',
		country: 'CH',
		error_type: 'hardware',
		record_type: 1,
		test: false,
		code: '806F0108 Power supply 2 has failed',
		object_group: 'IBM',
		object_category: 'Power',
		object_type: '8871-AC1',
		object_instance: 'J1A2B3C',
		object_instance_virtual_id: '0000000000000000',
		object_version: optionsOf().software_level.vrmf,
		object_logical_name: 'db01.example',
		submitter_group: 'IBM',
		submitter_category: 'callhome',
		submitter_type: 'callhome-bridge',
		submitter_instance: 'callhome-bridge',
		submitter_instance_virtual_id: '0000000000000000',
		contact_organization: 'Example AG',
		contact_name: 'Operations',
		contact_email: 'ops@example.com',
		contact_phone: '+41 44 555 01 00',
		contact_address: 'Zurich, CH',
		credentials: {mtsn: [{machine_type: '8871', serial_number: 'J1A2B3C', country: 'CH'}]},
	});
	t.is(payload.error_code, '806F0108');
	t.like(payload.hardware, {
		machine_type: '8871',
		model: 'AC1',
		serial_number: 'J1A2B3C',
		reference_code: '806F0108',
		severity: 'error',
		fru: [{type: 'power_supply', id: 'psu2', name: 'Power Supply 2', serial_number: 'K118', vendor: 'Example'}],
	});
	for (const fact of ['psu2', 'K118', 'Events: 3', '2026-11-23T17:03:05.678Z', 'The power supply gives no output.']) {
		t.true(String(note).includes(fact), fact);
	}
});

test('a connection report is a status of the bridge, and names no proxy', t => {
	const lost = [
		{position: 1, kind: 'proxy', since: createdAt, lastSuccessAt: createdAt - 60_000, errorType: 'ERR_PROXY_BUSY'},
		{position: 3, kind: 'direct', since: createdAt, lastSuccessAt: undefined, errorType: undefined},
	];
	const content = {system, createdAt, connections: {count: 4, lost}};
	const {payload, ...body} = bodyOf(submissionOf('connection_report', {content, transactionId: 'status_connections_1'}));
	t.deepEqual(body, {
		component: 'callhome_bridge_health',
		context: {origin: 2, timestamp: Math.trunc(createdAt / 1000), transid: createdAt},
		description: '2 of 4 service connections lead nowhere',
		event_transaction_id: 'status_connections_1',
		state: 'degraded',
		complete: true,
	});
	t.deepEqual(payload.content, {
		status: {
			support: {health_status: 'degraded', health_summary: '2 of 4 service connections lead nowhere'},
			connections: [
				{
					position: 1,
					kind: 'proxy',
					status: 'disconnected',
					since: '2026-11-23T17:04:05.678Z',
					last_success: '2026-11-23T17:03:05.678Z',
					error_code: 'ERR_PROXY_BUSY',
				},
				{position: 3, kind: 'direct', status: 'disconnected', since: '2026-11-23T17:04:05.678Z', error_code: 'unknown'},
			],
		},
	});
	t.like(payload, {request_time: createdAt, ibm_customer_number: '1234567', customer_country_code: 'CH'});
});

test('codes that IBM assigns are sent when they are configured, and only then', t => {
	const assigned = {routing_identifier: '5900AVA00', product_code_identifier: 'SCSTZ'};
	t.like(bodyOf(submissionOf('hardware_alert'), optionsOf(assigned)), assigned);
	t.false('routing_identifier' in bodyOf(submissionOf('hardware_alert')));
	t.false('product_code_identifier' in bodyOf(submissionOf('hardware_alert')));
});

test('a test problem says so in its flag and at the start of its title', t => {
	const body = bodyOf(submissionOf('test'));
	t.true(body.test);
	t.is(body.code, 'TEST - please ignore: 806F0108 Power supply 2 has failed');
});

test("a system's own country goes before the bridge's", t => {
	const abroad = submissionOf('hardware_alert', {content: {system: {...system, country: 'AT'}, createdAt, problem: fault}});
	t.is(wire(abroad).country_code, 'AT');
	t.is(bodyOf(abroad).country, 'AT');
});

test('a title is cut to 140 characters, never inside a character', t => {
	const titled = (title: string) =>
		submissionOf('hardware_alert', {content: {system, createdAt, problem: {...fault, errorCode: '', title}}});
	t.is(bodyOf(titled('a'.repeat(200))).code, 'a'.repeat(140));
	t.is(bodyOf(titled(`${'a'.repeat(139)}😀`)).code, 'a'.repeat(139));
	t.is(bodyOf(titled('two\nlines\u0000 ')).code, 'two lines');
	t.is(bodyOf(titled('half \ud83d of one')).code, 'half \ufffd of one');
});

test('a heartbeat and a case query ask for the transactions', t => {
	for (const type of ['heartbeat', 'case_query'] as const) {
		const body = bodyOf(submissionOf(type, {content: {system, createdAt, transactionIds: ['service_1', 'service_2']}}));
		t.like(body, {
			component: 'system',
			enable_response_detail: true,
			enable_response_detail_filter: ['service_1', 'service_2'],
			context: {messagetype: 1},
			payload: {content: {last_contact: String(Math.trunc(createdAt / 1000))}, ibm_customer_number: '1234567'},
		});
	}
});

test('a status tells what became of the fault, under the transaction of its case', t => {
	const about = {aboutTransactionId: 'service_1'};
	const worse = bodyOf(submissionOf('status', about));
	t.like(worse, {event_transaction_id: 'service_1', state: 'Error', complete: true, alert: true});
	t.like(worse.payload.content, {new_alerts: [{error_code: '806F0108', count: 3}], resolved_alerts: []});

	const recovered = {system, createdAt, problem: {...fault, recovered: true}};
	const over = bodyOf(submissionOf('status', {...about, content: recovered}));
	t.is(over.state, 'Ok');
	t.like(over.payload.content, {new_alerts: [], resolved_alerts: [{error_code: '806F0108'}]});
});

test('an inventory tells the machine by its label, its parts by the numbers they are ordered by, and nothing that is not known', t => {
	const {payload, ...body} = bodyOf(submissionOf('inventory'));
	t.deepEqual(body, {
		component: 'system',
		context: {origin: 2, timestamp: Math.trunc(createdAt / 1000), transid: createdAt},
		description: 'Inventory',
	});
	t.like(payload, {ibm_customer_number: '1234567', customer_country_code: 'CH'});
	t.deepEqual(payload.content, {
		inventory: {
			collected_at: '2026-11-23T17:04:05.678Z',
			source: 'redfish',
			machine: {
				machine_type: '8871',
				model: 'AC1',
				serial_number: 'J1A2B3C',
				manufacturer: 'Lenovo',
				product: 'System x3650 M5',
				found_serial_number: 'J1A2B3C',
				kind: 'physical',
			},
			parts: [
				{
					type: 'memory',
					id: 'DIMM 8',
					manufacturer: 'Samsung',
					part_number: 'M393A2G40DB0-CPB',
					fru_number: '46W0798',
					serial_number: '31EA1D',
					location: 'DIMM 8',
					size_bytes: 17_179_869_184,
					properties: {speed_mhz: 2133},
				},
				{type: 'firmware', id: 'bios', name: 'BIOS', version: 'TCE140B'},
			],
			operating_system: {name: 'Debian GNU/Linux', version: '12', kernel: '6.1.0', architecture: 'x64'},
			faults: ['disks: not allowed'],
		},
	});
});

test('a confirmation closes the transaction of a case', t => {
	t.like(bodyOf(submissionOf('confirmation', {aboutTransactionId: 'service_1'})), {
		event_transaction_id: 'service_1',
		event_type: 'service',
		component: 'system',
	});
});

test('whatever a producer writes, a message stays within its limits', t => {
	const text = fc.string({unit: 'binary', maxLength: 300}).map(unit => unit.repeat(100));
	const times = fc.double();
	fc.assert(
		fc.property(text, text, text, text, times, fc.constantFrom(...submissionTypes), (title, note, errorCode, name, at, type) => {
			const component = {id: name, type: name, name};
			const problem = {...fault, title, note, errorCode, component, firstSeen: at, lastSeen: at};
			const part = {...inventory.parts[0], type: title, id: note, name, location: errorCode};
			const told = {...inventory, parts: [part], faults: [note], network: [{name, addresses: [note]}]};
			const body = bodyOf(submissionOf(type, {content: {system, createdAt, problem, inventory: told}}));
			t.true(JSON.stringify(body).length < 300_000);
			t.true(String(body.code ?? '').length <= 140);
			t.true(String(body.description ?? '').length <= 10_000);
			t.true(String(body.payload?.description ?? '').length <= 10_000);
		}),
		{numRuns: 60},
	);
	const many = Array.from({length: 5000}, (_, index) => `service_${index}`);
	const asked = bodyOf(submissionOf('heartbeat', {content: {system, createdAt, transactionIds: many}}));
	t.deepEqual(asked.enable_response_detail_filter, many.slice(0, maxAskedTransactions));
});

test('a transaction id tells type, client, machine, time and problem', t => {
	const parts = {type: 'hardware_alert', system, createdAt: 17, discriminator: 'p1'} as const;
	t.is(transactionIdOf(parts), 'service_IBM_callhome-bridge_8871-AC1_J1A2B3C_17_p1');
	t.is(transactionIdOf({...parts, agent: 'other'}), 'service_IBM_other_8871-AC1_J1A2B3C_17_p1');
	t.not(transactionIdOf({...parts, discriminator: 'p2'}), transactionIdOf(parts));
	t.is(envelopeIdOf(transactionIdOf(parts), 'hardware_alert'), 'IBM_callhome-bridge_8871-AC1_J1A2B3C_17_p1');
	t.regex(transactionIdOf({...parts, discriminator: 'a b\n/ü'.repeat(100)}), /^[\w.-]{1,120}$/);
});
