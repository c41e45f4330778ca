import {ProtobufLogsSerializer} from '@opentelemetry/otlp-transformer';
import {resourceFromAttributes} from '@opentelemetry/resources';
import type {ReadableLogRecord} from '@opentelemetry/sdk-logs';
import test from 'ava';
import fc from 'fast-check';
import {createPreselection} from '../../src/agent/preselection.ts';
import {createReaders} from '../../src/receivers/otlp/reading.ts';
import {type Selection, selectionSchema} from '../../src/receivers/otlp/selection.ts';

const resource = resourceFromAttributes({'host.name': 'db01'});

const recordOf = (fields: Partial<ReadableLogRecord>): ReadableLogRecord => ({
	hrTime: [1_795_435_200, 0],
	hrTimeObserved: [1_795_435_200, 0],
	resource,
	instrumentationScope: {name: 'raid-watch'},
	attributes: {},
	droppedAttributesCount: 0,
	...fields,
});

function isRead(selection: Selection, record: ReadableLogRecord): boolean {
	const bytes = ProtobufLogsSerializer.serializeRequest([record]) ?? new Uint8Array();
	return createReaders(selection).logs.protobuf(bytes, Date.now()).events.length > 0;
}

const selections = {
	defaults: {},
	wildcards: {logs: {disks: {event_name: ['disk.*', '*.failed'], min_severity: 'warn' as const}}},
	values: {logs: {hardware_alert: null, rack: {attributes: {rack: ['7', 'x*'], slot: '*'}}}},
	'the resource': {logs: {hardware_error: null, db: {resource: {'host.name': 'db*'}, any_attribute: ['slot']}}},
};
const texts = fc.constantFrom('callhome.hardware.alert', 'disk.failed', 'disk.', '7', 'xx', '', '\ud800', 'other');
const values = fc.oneof(texts, fc.constantFrom(7, 1.5, true, null), fc.constant(['disk.failed']), fc.constant({a: 1}));
const keys = fc.constantFrom('hw.id', 'hw.type', 'event.name', 'otel.event.name', 'rack', 'slot', 'other');
const records = fc.record(
	{severityNumber: fc.integer({min: -1, max: 25}), eventName: texts, attributes: fc.dictionary(keys, values)},
	{requiredKeys: ['attributes']},
);

for (const [title, input] of Object.entries(selections)) {
	test(`whatever the reader selects passes: ${title}`, t => {
		const selection = selectionSchema.parse(input);
		const mightSelect = createPreselection(selection);
		let selected = 0;
		fc.assert(
			fc.property(records, fields => {
				const record = recordOf(fields);
				if (!isRead(selection, record)) return;
				selected++;
				t.true(mightSelect(record), JSON.stringify(fields));
			}),
			{numRuns: 2000},
		);
		t.true(selected > 20, `only ${selected} records were selected at all`);
	});
}

test('what no rule can select does not pass', t => {
	const mightSelect = createPreselection(selectionSchema.parse(undefined));
	t.false(mightSelect(recordOf({})));
	t.false(mightSelect(recordOf({severityNumber: 9, eventName: 'disk.failed', attributes: {'hw.id': 'x'}})));
	t.false(mightSelect(recordOf({severityNumber: 21, attributes: {'http.route': '/'}})));
	t.false(mightSelect(recordOf({attributes: {'event.name': 'other'}})));
});
