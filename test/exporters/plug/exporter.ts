import {setTimeout as pause} from 'node:timers/promises';
import {type ExportResult, ExportResultCode} from '@opentelemetry/core';
import {
	BatchLogRecordProcessor,
	InMemoryLogRecordExporter,
	type ReadableLogRecord,
	SimpleLogRecordProcessor,
} from '@opentelemetry/sdk-logs';
import test from 'ava';
import {CallHomeLogRecordExporter} from '../../../exporters/index.ts';
import {eventually} from '../../helpers/listen.ts';
import {alertOf, intakeWith, startLogger, storeFull} from '../../helpers/plug.ts';

const exported = (exporter: CallHomeLogRecordExporter, records: ReadableLogRecord[]) =>
	new Promise<ExportResult>(resolve => exporter.export(records, resolve));

/** Records as the SDK makes them. */
function recordsOf(t: Parameters<typeof startLogger>[0], ...alerts: ReturnType<typeof alertOf>[]): ReadableLogRecord[] {
	const memory = new InMemoryLogRecordExporter();
	const {logger} = startLogger(t, [new SimpleLogRecordProcessor({exporter: memory})]);
	for (const alert of alerts) logger.emit(alert);
	return memory.getFinishedLogRecords();
}

test('answers when the events are stored, and not before', async t => {
	const {promise: gate, resolve: open} = Promise.withResolvers<void>();
	const {callHome, drives} = intakeWith(() => gate);
	const exporter = new CallHomeLogRecordExporter(callHome);
	const records = recordsOf(t, alertOf('drive-1'), {body: 'all is well'}, alertOf('drive-2'));
	let result: ExportResult | undefined;
	exporter.export(records, answer => {
		result = answer;
	});
	await pause(20);
	t.is(result, undefined);
	open();
	await exporter.forceFlush();
	t.deepEqual(result, {code: ExportResultCode.SUCCESS});
	t.deepEqual(drives(), ['drive-1', 'drive-2']);
});

test('FAILED with the error of the store', async t => {
	const error = storeFull();
	const {callHome} = intakeWith(() => Promise.reject(error));
	const exporter = new CallHomeLogRecordExporter(callHome);
	t.deepEqual(await exported(exporter, recordsOf(t, alertOf('drive-1'))), {code: ExportResultCode.FAILED, error});
	await exporter.forceFlush();
});

test('nothing selected is SUCCESS without asking the store', async t => {
	const {callHome, calls} = intakeWith();
	const records = recordsOf(t, {body: 'all is well'});
	t.is((await exported(new CallHomeLogRecordExporter(callHome), records)).code, ExportResultCode.SUCCESS);
	t.is((await exported(new CallHomeLogRecordExporter(callHome), [])).code, ExportResultCode.SUCCESS);
	t.deepEqual(calls, []);
});

test('a record that cannot be read fails the export, and the others are stored', async t => {
	const {callHome, drives} = intakeWith();
	const records = recordsOf(t, alertOf('', {attributes: {dump: 'x'.repeat(300_000)}}), alertOf('drive-2'));
	const result = await exported(new CallHomeLogRecordExporter(callHome), records);
	t.is(result.code, ExportResultCode.FAILED);
	t.regex(result.error?.message ?? '', /^1 record\(s\) lost: a log record cannot be read: .*record larger than 256 KiB$/);
	t.deepEqual(drives(), ['drive-2']);
});

test('after shutdown it fails what it gets', async t => {
	const {callHome, drives} = intakeWith(() => pause(20));
	const exporter = new CallHomeLogRecordExporter(callHome);
	const underWay = exported(exporter, recordsOf(t, alertOf('drive-1')));
	await exporter.shutdown();
	t.deepEqual(drives(), ['drive-1']);
	t.is((await underWay).code, ExportResultCode.SUCCESS);
	const {code, error} = await exported(exporter, recordsOf(t, alertOf('drive-2')));
	t.is(code, ExportResultCode.FAILED);
	t.like(error, {code: 'ERR_SHUTTING_DOWN'});
	t.is(exporter.shutdown(), exporter.shutdown());
});

test('behind a BatchLogRecordProcessor', async t => {
	const {callHome, drives} = intakeWith();
	const exporter = new CallHomeLogRecordExporter(callHome);
	const {provider, logger} = startLogger(t, [new BatchLogRecordProcessor({exporter, maxExportBatchSize: 2})]);
	for (const drive of ['drive-1', 'drive-2', 'drive-3']) logger.emit(alertOf(drive));
	await provider.forceFlush();
	t.deepEqual(drives(), ['drive-1', 'drive-2', 'drive-3']);
});

test('a BatchLogRecordProcessor that is flushed during a failing export exports what comes after it', async t => {
	let attempts = 0;
	const {callHome, drives, calls} = intakeWith(async () => {
		await pause(50);
		if (++attempts === 1) throw storeFull();
	});
	const exporter = new CallHomeLogRecordExporter(callHome);
	const {provider, logger} = startLogger(t, [new BatchLogRecordProcessor({exporter, scheduledDelayMillis: 1})]);
	logger.emit(alertOf('drive-1'));
	await eventually(() => calls.length === 1, {intervalMillis: 1}); // Now the export is under way.
	logger.emit(alertOf('drive-2'));
	await provider.forceFlush();
	logger.emit(alertOf('drive-3'));
	await provider.forceFlush();
	t.deepEqual(drives(), ['drive-2', 'drive-3'], 'the processor drops drive-1: it does not export again what failed');
});

test('behind a SimpleLogRecordProcessor', async t => {
	const {callHome, drives} = intakeWith();
	const exporter = new CallHomeLogRecordExporter(callHome);
	const {logger} = startLogger(t, [new SimpleLogRecordProcessor({exporter})]);
	logger.emit(alertOf('drive-1'));
	await eventually(() => drives().length === 1);
	t.deepEqual(drives(), ['drive-1']);
});

test("the bridge's own records are no events", async t => {
	const {callHome, calls} = intakeWith();
	const exporter = new CallHomeLogRecordExporter(callHome);
	const {provider, logger} = startLogger(t, [new BatchLogRecordProcessor({exporter})], {scope: 'callhome-bridge'});
	logger.emit(alertOf('drive-1'));
	await provider.forceFlush();
	t.deepEqual(calls, []);
});
