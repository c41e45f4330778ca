export {type EmbeddedCallHome, type EmbeddedOptions, startCallHome} from '../src/agent/embedded.ts';
export {BridgeError, type BridgeErrorCode} from '../src/errors.ts';
export type {BacklogOptions} from './plug/backlog.ts';
export type {CallHomeIntake} from './plug/capture.ts';
export {CallHomeLogRecordExporter} from './plug/exporter.ts';
export {CallHomeLogRecordProcessor} from './plug/processor.ts';
