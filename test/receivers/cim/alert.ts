import test from 'ava';
import fc from 'fast-check';
import {createClassify} from '../../../src/processors/classify.ts';
import {withInferred} from '../../../src/processors/infer.ts';
import {millisOfCimTime, toHardwareEvent} from '../../../src/receivers/cim/alert.ts';
import {readExport} from '../../../src/receivers/cim/export-message.ts';
import {parseXml} from '../../../src/receivers/cim/xml.ts';
import {indicationXml, memoryFault} from '../../helpers/cim.ts';

const receivedAt = Date.UTC(2026, 10, 1, 12);
type Properties = Parameters<typeof indicationXml>[0];

function eventOf(properties: Properties, at = receivedAt, className?: string) {
	const read = readExport(parseXml(Buffer.from(indicationXml(properties, className))), 'ExportIndication');
	if (!('indication' in read)) throw new Error(read.text);
	return toHardwareEvent({indication: read.indication, resource: {'host.name': 'db01'}, receivedAt: at});
}

test('an uncorrectable memory error names its module, its state and its code', t => {
	const event = eventOf(memoryFault, receivedAt, 'IBM_AlertIndication');
	t.is(event.occurredAt, Date.UTC(2026, 10, 1, 9));
	t.is(event.severity, 21);
	t.is(event.source, 'cim');
	t.like(event.attributes, {
		'hw.id': 'memory/8',
		'hw.type': 'memory',
		'hw.name': 'DIMM 8',
		'hw.state': 'failed',
		'error.type': 'uncorrected',
		'callhome.event.code': '806F010C20010000',
		'cim.MessageID': 'PLAT0138',
		'cim.class': 'IBM_AlertIndication',
	});
	t.deepEqual(event.attributes['cim.MessageArguments'], ['DIMM 8', 'System Memory']);
});

test('a recovery is about the same part: by the deasserted id, by its probable cause, by its words', t => {
	const fault = eventOf(memoryFault);
	const recoveries: Properties[] = [
		{...memoryFault, EventID: '0x816F010C20010000', PerceivedSeverity: '2'},
		{...memoryFault, EventID: undefined, ProbableCause: '59', PerceivedSeverity: '2'},
		{...memoryFault, EventID: undefined, PerceivedSeverity: '2', Message: 'Uncorrectable error for "DIMM 8" has deasserted.'},
	];
	for (const properties of recoveries) {
		const event = eventOf(properties);
		t.like(event.attributes, {'hw.id': fault.attributes['hw.id'], 'hw.state': 'ok'});
		t.is(event.attributes['error.type'], undefined);
		t.is(event.severity, 9);
		t.not(event.id, fault.id);
	}
});

test('severities and causes say what no event id says', t => {
	const cases: [Properties, object][] = [
		[
			{PerceivedSeverity: '3', Message: 'Fan 2A is slow'},
			{'hw.id': 'fan/2a', 'hw.state': 'degraded'},
		],
		[
			{PerceivedSeverity: '6', ProbableCause: '94', Message: 'failure'},
			{'hw.type': 'fan', 'hw.state': 'failed'},
		],
		[
			{PerceivedSeverity: '5', ProbableCause: '93', Message: 'PSU 1 lost input'},
			{'hw.id': 'power_supply/1', 'error.type': 'input_lost', 'callhome.call_home_candidate': false},
		],
		[
			{PerceivedSeverity: '4', ProbableCause: '88', Message: 'redundancy'},
			{'hw.state': 'degraded', 'error.type': 'redundancy_lost'},
		],
		[
			{EventID: '806F020D04010000', PerceivedSeverity: '3', Message: 'Drive 3'},
			{'hw.id': 'physical_disk/3', 'hw.state': 'predicted_failure'},
		],
		[
			{AlertingManagedElement: 'root/cimv2:CIM_Fan.CreationClassName="CIM_Fan",DeviceID="Fan 4"', PerceivedSeverity: '6'},
			{'hw.id': 'fan/4', 'hw.name': 'Fan 4'},
		],
		[{ProbableCause: '60', PerceivedSeverity: '3'}, {'callhome.serviceable': false}],
	];
	for (const [properties, expected] of cases) t.like(eventOf(properties).attributes, expected, JSON.stringify(properties));
	t.is(eventOf({PerceivedSeverity: '2', Message: 'logged in'}).attributes['hw.state'], undefined);
});

test('the same indication is the same event, and another one another', t => {
	const later = receivedAt + 60_000;
	t.is(eventOf(memoryFault).id, eventOf(memoryFault, later).id);
	t.not(eventOf(memoryFault).id, eventOf({...memoryFault, EventTime: '20261101100001.000000+060'}).id);
	const numbered = {Message: 'm', SequenceContext: 'boot 1', SequenceNumber: '7'};
	t.is(eventOf(numbered).id, eventOf(numbered, later).id);
	t.not(eventOf(numbered).id, eventOf({...numbered, SequenceNumber: '8'}).id);
	// Without number and time it may be a new fault: one too many joins its problem, one too few is lost.
	t.not(eventOf({Message: 'm'}).id, eventOf({Message: 'm'}, later).id);
});

test('the time of a module is believed when it can be', t => {
	t.is(millisOfCimTime('20260102030405.678901-060'), Date.UTC(2026, 0, 2, 4, 4, 5, 678));
	t.is(millisOfCimTime('2026010203****.******+000'), Date.UTC(2026, 0, 2, 3));
	for (const text of ['', '00000001000000.000000:000', '20261301000000.000000+000', 'yesterday'])
		t.is(millisOfCimTime(text), undefined);
	t.is(eventOf({...memoryFault, EventTime: '19700101000000.000000+000'}).occurredAt, receivedAt);
	t.is(eventOf({...memoryFault, EventTime: '20990101000000.000000+000'}).occurredAt, receivedAt);
});

test('any property may be missing or senseless', t => {
	const names = [...Object.keys(memoryFault), 'ProbableCause', 'Description', 'IndicationIdentifier', 'SequenceNumber'];
	const properties = fc.dictionary(
		fc.constantFrom(...names),
		fc.oneof(fc.string({maxLength: 60}), fc.array(fc.string({maxLength: 9}), {maxLength: 3})),
	);
	fc.assert(
		fc.property(properties, values => {
			const event = eventOf(values);
			return /^[0-9a-f]{32}$/.test(event.id) && event.message !== '' && typeof event.attributes['hw.id'] === 'string';
		}),
		{numRuns: 200},
	);
	t.pass();
});

test('an alert without an event id that is about a login, the network or a program calls nobody', t => {
	const verdictOf = (properties: Properties) => {
		const {verdict, repeat} = createClassify([])(withInferred(eventOf(properties)));
		return repeat === 1 ? verdict : `${verdict} x${repeat}`;
	};
	t.is(verdictOf({PerceivedSeverity: '3', Message: 'Remote Login Attempt Failed. Login ID: USERID'}), 'never');
	t.is(verdictOf({PerceivedSeverity: '5', AlertType: '8', Message: 'Something was tried'}), 'never');
	t.is(verdictOf({PerceivedSeverity: '3', Message: 'Something is odd'}), 'serviceable');
	t.is(verdictOf({PerceivedSeverity: '5', MessageID: 'FQXSPSE4001I', Message: 'Remote Login Successful'}), 'never');
	t.is(verdictOf({PerceivedSeverity: '3', MessageID: 'FQXSPMA0008N', Message: 'DIMM 5 has an error'}), 'call_home');
	t.is(verdictOf({PerceivedSeverity: '6', AlertType: '8', Message: 'Drive 3 has failed'}), 'call_home');
	t.is(verdictOf({PerceivedSeverity: '3', Message: 'Fan 2A is slow'}), 'call_home x2');
	t.is(verdictOf({PerceivedSeverity: '5', Message: 'Something has failed'}), 'call_home');
});
