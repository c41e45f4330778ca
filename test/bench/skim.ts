import {gunzipSync, gzipSync} from 'node:zlib';
import {create, fromBinary, toBinary} from '@bufbuild/protobuf';
import {createReaders} from '../../src/receivers/otlp/reading.ts';
import {selectionSchema} from '../../src/receivers/otlp/selection.ts';
import {LogsDataSchema} from '../helpers/otlp/logs_pb.ts';

/** How fast log records are read of which one in a hundred is selected, against decoding them all. `node test/bench/skim.ts` */

const recordsPerBatch = 512;
const rounds = 7;
const roundMillis = 400;
const now = Date.now();

const text = (value: string) => ({value: {case: 'stringValue' as const, value}});

function record(index: number) {
	const selected = index % 100 === 50;
	const attributes = Array.from({length: selected ? 8 : 10}, (_, at) => ({
		key: `app.attribute.${at}`,
		value: text(`value ${at} of record ${index}`),
	}));
	if (selected) attributes.push({key: 'hw.id', value: text(`disk_${index}`)}, {key: 'hw.type', value: text('physical_disk')});
	return {
		timeUnixNano: BigInt(now) * 1_000_000n + BigInt(index),
		observedTimeUnixNano: BigInt(now) * 1_000_000n,
		severityNumber: selected ? 17 : 9,
		severityText: selected ? 'ERROR' : 'INFO',
		body: text(`Request ${index} was answered by the backend after a while`),
		attributes,
	};
}

const batch = toBinary(
	LogsDataSchema,
	create(LogsDataSchema, {
		resourceLogs: [
			{
				resource: {attributes: [{key: 'service.name', value: text('bench')}]},
				scopeLogs: [{scope: {name: 'bench'}, logRecords: Array.from({length: recordsPerBatch}, (_, index) => record(index))}],
			},
		],
	}),
);
const compressed = gzipSync(batch);
const readers = createReaders(selectionSchema.parse(undefined));

const median = (values: readonly number[]): number =>
	values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Records per second of CPU time, the median of some rounds after a warm-up. */
function measure(name: string, read: () => unknown): number {
	const rates: number[] = [];
	for (let round = 0; round <= rounds; round++) {
		const start = process.cpuUsage();
		const until = performance.now() + roundMillis;
		let batches = 0;
		for (; performance.now() < until; batches++) read();
		const {user, system} = process.cpuUsage(start);
		if (round > 0) rates.push((batches * recordsPerBatch * 1e6) / (user + system));
	}
	const rate = median(rates);
	console.log(`${name.padEnd(40)} ${Math.round(rate).toLocaleString('en').padStart(12)} records/s`);
	return rate;
}

const {records, events} = readers.logs.protobuf(batch, now);
console.log(
	`${records} records, ${events.length} selected, ${batch.length} bytes, ${compressed.length} gzipped, Node ${process.version}`,
);
const skimmed = measure('skim', () => readers.logs.protobuf(batch, now));
const decoded = measure('decode all (protobuf-es)', () => fromBinary(LogsDataSchema, batch));
measure('gunzip', () => gunzipSync(compressed));
measure('gunzip and skim', () => readers.logs.protobuf(gunzipSync(compressed), now));
console.log(`skim is ${(skimmed / decoded).toFixed(1)} times as fast as decoding all`);
