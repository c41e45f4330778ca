import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {logs} from '@opentelemetry/api';
import {resourceFromAttributes} from '@opentelemetry/resources';
import {SimpleLogRecordProcessor} from '@opentelemetry/sdk-logs';
import {NodeSDK} from '@opentelemetry/sdk-node';
import test from 'ava';
import {CallHomeLogRecordExporter, CallHomeLogRecordProcessor} from '../../../exporters/index.ts';
import {BridgeError} from '../../../src/errors.ts';
import {eventually, temporaryDirectory} from '../../helpers/listen.ts';
import {alertOf, host, startEmbedded, startLogger} from '../../helpers/plug.ts';

type Row = {readonly id: string; readonly body: string};

/** What a connection of somebody else sees in the file: nothing that is not committed. */
function eventsOnDisk(directory: string) {
	using database = new DatabaseSync(join(directory, 'callhome.db'), {readOnly: true});
	const rows = database.prepare('SELECT id, body FROM event ORDER BY sequence').all() as Row[];
	return rows.map(({body}) => JSON.parse(body));
}

function problemsOnDisk(directory: string) {
	using database = new DatabaseSync(join(directory, 'callhome.db'), {readOnly: true});
	return database.prepare('SELECT * FROM problem').all();
}

test('what was emitted before forceFlush is on disk after it, and becomes a case', async t => {
	const {callHome, store, logged} = await startEmbedded(t);
	const {provider, logger} = startLogger(t, [new CallHomeLogRecordProcessor(callHome)]);
	logger.emit(alertOf('drive-3'));
	t.deepEqual(eventsOnDisk(store), [], 'onEmit does not wait for the disk');
	await provider.forceFlush();
	t.like(eventsOnDisk(store), {
		length: 1,
		0: {
			name: 'callhome.hardware.alert',
			source: 'plug',
			severity: 17,
			message: 'drive-3 has failed',
			resource: host,
			attributes: {'hw.id': 'drive-3', 'hw.type': 'physical_disk', 'hw.state': 'failed'},
		},
	});
	await eventually(() => problemsOnDisk(store).some(problem => problem.case_number !== null));
	t.deepEqual(
		logged.filter(line => !line.startsWith('info:') && !line.includes('sandbox')),
		[],
	);
	t.true(logged.some(line => line.startsWith('warn: submissions go to the sandbox')));
});

test.serial('a NodeSDK with its own resource: what it finds out later is in the event', async t => {
	const {callHome, store} = await startEmbedded(t);
	const resource = resourceFromAttributes({...host, 'host.id': new Promise<string>(resolve => setTimeout(resolve, 50, 'abc'))});
	const sdk = new NodeSDK({
		resource,
		autoDetectResources: false,
		logRecordProcessors: [new CallHomeLogRecordProcessor(callHome)],
		metricReaders: [],
		spanProcessors: [],
	});
	sdk.start();
	t.teardown(() => logs.disable());
	const body = {slot: 3};
	logs.getLogger('raid-watch').emit(alertOf('drive-1', {body}));
	body.slot = 4;
	await sdk.shutdown();
	t.like(eventsOnDisk(store), {length: 1, 0: {resource: {...host, 'host.id': 'abc'}, message: '{"slot":3}'}});
});

test('a full store: forceFlush rejects, and resolves when there is space', async t => {
	const directory = await temporaryDirectory(t);
	const store = join(directory, 'state');
	const {callHome} = await startEmbedded(t, `store: {directory: ${store}, max_size: 1MiB}`, directory);
	using filler = new DatabaseSync(join(store, 'callhome.db'), {timeout: 5000});
	filler.exec('CREATE TABLE filler (bytes BLOB); INSERT INTO filler VALUES (zeroblob(2000000))');

	const {provider, logger} = startLogger(t, [new CallHomeLogRecordProcessor(callHome)]);
	const attributes = {'hw.id': 'drive-1', dump: 'x'.repeat(60_000)}; // More than the file's last pages have room for.
	logger.emit(alertOf('drive-1', {attributes}));
	await t.throwsAsync(provider.forceFlush(), {instanceOf: BridgeError, message: /^1 hardware event.*not on disk/});
	t.deepEqual(eventsOnDisk(store), []);

	filler.exec('DROP TABLE filler');
	await provider.forceFlush();
	t.is(eventsOnDisk(store).length, 1);
});

test('SDK shutdown rejects when the bridge was shut down before it', async t => {
	const {callHome, store} = await startEmbedded(t);
	const {provider, logger} = startLogger(t, [new CallHomeLogRecordProcessor(callHome)]);
	await callHome.shutdown();
	logger.emit(alertOf('drive-1'));
	await t.throwsAsync(provider.shutdown(), {code: 'ERR_SHUTTING_DOWN'});
	t.deepEqual(eventsOnDisk(store), []);
});

test('an exporter answers SUCCESS when the events are on disk', async t => {
	const {callHome, store} = await startEmbedded(t);
	const exporter = new CallHomeLogRecordExporter(callHome);
	const {logger} = startLogger(t, [new SimpleLogRecordProcessor({exporter})]);
	logger.emit(alertOf('drive-1'));
	logger.emit({severityNumber: 9, body: 'all is well'});
	await exporter.forceFlush();
	t.deepEqual(
		eventsOnDisk(store).map(({attributes}) => attributes['hw.id']),
		['drive-1'],
	);
});
