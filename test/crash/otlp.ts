import {fromJson, toBinary} from '@bufbuild/protobuf';
import {LogsDataSchema} from '../helpers/otlp/logs_pb.ts';
import {type Fault, type LoadRecord, titleOf} from './stories.ts';

/** A body for POST /v1/logs, and its content type. */
export type OtlpRequest = {readonly contentType: string; readonly body: Uint8Array};

const attribute = (key: string, value: string) => ({key, value: {stringValue: value}});

const resourceOf = ({serialNumber}: Fault) => ({
	attributes: [
		attribute('host.name', `${serialNumber.toLowerCase()}.example`),
		attribute('callhome.system.type', '8871'),
		attribute('callhome.system.model', 'AC1'),
		attribute('callhome.system.serial_number', serialNumber),
	],
});

const logRecordOf = ({uid, fault, state, severity}: LoadRecord, now: number) => ({
	timeUnixNano: `${now}000000`,
	observedTimeUnixNano: `${now}000000`,
	eventName: 'callhome.hardware.alert',
	severityNumber: severity,
	body: {stringValue: state === 'ok' ? `Component ${fault.component} works again` : titleOf(fault)},
	attributes: [
		attribute('log.record.uid', uid),
		attribute('hw.id', fault.component),
		attribute('hw.type', 'physical_disk'),
		attribute('hw.state', state),
	],
});

/** The records as a producer sends them. */
export function requestOf(records: readonly LoadRecord[], encoding: 'json' | 'protobuf', now = Date.now()): OtlpRequest {
	const logs = {
		resourceLogs: records.map(record => ({
			resource: resourceOf(record.fault),
			scopeLogs: [{scope: {name: 'crash'}, logRecords: [logRecordOf(record, now)]}],
		})),
	};
	return encoding === 'json'
		? {contentType: 'application/json', body: Buffer.from(JSON.stringify(logs))}
		: {contentType: 'application/x-protobuf', body: toBinary(LogsDataSchema, fromJson(LogsDataSchema, logs))};
}
