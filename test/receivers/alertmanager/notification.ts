import test from 'ava';
import fc from 'fast-check';
import {alertmanagerSchema} from '../../../src/receivers/alertmanager/config.ts';
import {createSelect, parseNotification, toHardwareEvent} from '../../../src/receivers/alertmanager/notification.ts';

const {match, labels: names} = alertmanagerSchema.parse({});

const alert = (labels: Record<string, string>, rest: object = {}) => ({
	status: 'firing' as const,
	labels: {alertname: 'DiskFailed', ...labels},
	annotations: {summary: 'Disk 3 has failed'},
	startsAt: '2026-11-01T10:00:00.123Z',
	endsAt: '0001-01-01T00:00:00Z',
	fingerprint: 'abc',
	...rest,
});
const read = (...alerts: object[]) => parseNotification(JSON.stringify({version: '4', alerts}));
const eventOf = (labels: Record<string, string>, rest: object = {}) => {
	const notification = read(alert(labels, rest));
	if (typeof notification === 'string' || !notification.alerts[0]) throw new Error(String(notification));
	return toHardwareEvent(notification.alerts[0], names, 5000);
};

test('labels name the machine, the part and its state', t => {
	const event = eventOf({
		instance: 'db01.example:9100',
		callhome_system_type: '8871',
		callhome_system_model: 'AC1',
		callhome_system_serial_number: 'J1A2B3C',
		hw_id: 'disk-3',
		hw_type: 'physical_disk',
		hw_state: 'predicted_failure',
		severity: 'critical',
	});
	t.like(event, {
		name: 'callhome.hardware.alert',
		occurredAt: Date.parse('2026-11-01T10:00:00.123Z'),
		receivedAt: 5000,
		severity: 17,
		message: 'Disk 3 has failed',
		source: 'alertmanager',
		isStanding: true,
	});
	t.deepEqual(event.resource, {
		'host.name': 'db01.example',
		'callhome.system.type': '8871',
		'callhome.system.model': 'AC1',
		'callhome.system.serial_number': 'J1A2B3C',
	});
	t.like(event.attributes, {
		'hw.id': 'disk-3',
		'hw.type': 'physical_disk',
		'hw.state': 'predicted_failure',
		'hw.name': 'DiskFailed',
	});
	t.like(event.attributes, {
		'callhome.alert.labels': {severity: 'critical'},
		'callhome.alert.annotations': {summary: 'Disk 3 has failed'},
	});
});

for (const [severity, state, number] of [
	['critical', 'failed', 17],
	['page', 'failed', 17],
	['Warning', 'degraded', 13],
	['info', 'degraded', 9],
] as const) {
	test(`severity ${severity} without a state is ${state}`, t => {
		t.like(eventOf({severity}), {severity: number, attributes: {'hw.state': state}});
	});
}

test('hosts are told from their ports', t => {
	for (const [instance, host] of [
		['db01:9100', 'db01'],
		['192.0.2.7:9100', '192.0.2.7'],
		['[2001:db8::7]:9100', '2001:db8::7'],
		['2001:db8::7', '2001:db8::7'],
		['db01', 'db01'],
	] as const)
		t.is(eventOf({instance}).resource['host.name'], host);
});

test('a repeated notification is the same event, a new beginning and an end are others', t => {
	const first = eventOf({});
	t.is(eventOf({}).id, first.id);
	t.not(eventOf({}, {startsAt: '2026-11-02T10:00:00Z'}).id, first.id);
	const resolved = eventOf({}, {status: 'resolved', endsAt: '2026-11-01T11:00:00Z'});
	t.not(resolved.id, first.id);
	t.like(resolved, {severity: 9, occurredAt: Date.parse('2026-11-01T11:00:00Z'), attributes: {'hw.state': 'ok'}});
});

test('only what is about hardware is taken, by rules that the operator can change', t => {
	const usual = createSelect(match);
	t.true(usual(alert({hw_id: 'x'})));
	t.true(usual(alert({callhome: 'true'})));
	t.false(usual(alert({callhome: 'false', hw_id: ''})));
	const own = createSelect(alertmanagerSchema.parse({match: [{alertname: 'Raid*', team: 'hw'}]}).match);
	t.true(own(alert({alertname: 'RaidDegraded.x', team: 'hw'})));
	t.false(own(alert({alertname: 'RaidDegraded', team: 'web'})));
	t.false(own(alert({hw_id: 'x'})));
});

test('what is no notification is said in one line, without what was in it', t => {
	for (const [body, said] of [
		['', /not JSON/],
		['{"version":"5","alerts":[]}', /version is not/],
		['{"version":"4","alerts":[{"status":"hunter2"}]}', /alerts\.0\.status/],
		['{"version":"4","alerts":{}}', /alerts is not/],
		['[]', /the whole/],
	] as const) {
		const fault = parseNotification(body);
		t.regex(String(fault), said);
		t.notRegex(String(fault), /hunter2|\n/);
	}
});

test('whatever is posted, it is an answer or events with an id and a time', t => {
	const any = fc.json({maxDepth: 4});
	const near = fc.record({
		version: fc.constantFrom('4', '3', 4),
		truncatedAlerts: fc.oneof(fc.integer(), fc.string()),
		alerts: fc.array(
			fc.record({
				status: fc.constantFrom('firing', 'resolved', 'x'),
				labels: fc.dictionary(fc.string(), fc.string()),
				annotations: fc.dictionary(fc.constantFrom('summary', '__proto__', 'description'), fc.string()),
				startsAt: fc.oneof(fc.string(), fc.constant('2026-11-01T10:00:00Z')),
				endsAt: fc.string(),
			}),
		),
	});
	const isAnswerOrEvents = fc.property(
		fc.oneof(
			any,
			near.map(value => JSON.stringify(value)),
		),
		body => {
			const notification = parseNotification(body);
			if (typeof notification === 'string') return;
			for (const each of notification.alerts) {
				const event = toHardwareEvent(each, names, 1);
				t.regex(event.id, /^[0-9a-f]{32}$/);
				t.true(Number.isSafeInteger(event.occurredAt) && event.occurredAt > 0);
				t.true(event.message !== '');
			}
		},
	);
	t.notThrows(() => fc.assert(isAnswerOrEvents, {numRuns: 300}));
});
