import {context, diag, ROOT_CONTEXT} from '@opentelemetry/api';
import {type ExportResult, ExportResultCode} from '@opentelemetry/core';
import type {LogRecordExporter, ReadableLogRecord} from '@opentelemetry/sdk-logs';
import {BridgeError, toError} from '../../src/errors.ts';
import type {HardwareEvent} from '../../src/event.ts';
import {type CallHomeIntake, eventsOf, isCandidate, unreadable} from './capture.ts';

/**
The same as CallHomeLogRecordProcessor in the shape of an exporter, for set-ups that are made of those. It answers SUCCESS
only when the hardware events among the records are on disk.

Prefer the processor: what stands in front of an exporter loses records. BatchLogRecordProcessor drops those that find its
queue full (2048 by default: raise `maxQueueSize`) and those of a failed export, and its `forceFlush()` does not reject;
SimpleLogRecordProcessor drops those of a failed export, and its `forceFlush()` does not wait for one.
*/
export class CallHomeLogRecordExporter implements LogRecordExporter {
	readonly #callHome: CallHomeIntake;
	readonly #underWay = new Set<Promise<void>>();
	#ending: Promise<void> | undefined;

	constructor(callHome: CallHomeIntake) {
		this.#callHome = callHome;
	}

	export(records: ReadableLogRecord[], resultCallback: (result: ExportResult) => void): void {
		const exporting = this.#store(records)
			.then(
				(): ExportResult => ({code: ExportResultCode.SUCCESS}),
				(error: unknown): ExportResult => ({code: ExportResultCode.FAILED, error: toError(error)}),
			)
			.then(resultCallback)
			.catch(error => diag.error('callhome-bridge: the callback of an export failed', error))
			.finally(() => this.#underWay.delete(exporting));
		this.#underWay.add(exporting);
	}

	/**
	Resolves when no export is under way; whether one failed was said to its callback. It does not reject, because
	BatchLogRecordProcessor would never export again.
	*/
	async forceFlush(): Promise<void> {
		await Promise.all(this.#underWay);
	}

	/** Finishes the exports under way, and fails further ones. */
	shutdown(): Promise<void> {
		this.#ending ??= this.forceFlush();
		return this.#ending;
	}

	async #store(records: readonly ReadableLogRecord[]): Promise<void> {
		if (this.#ending) throw new BridgeError('ERR_SHUTTING_DOWN', 'the exporter is shut down');
		const faults: BridgeError[] = [];
		const events = records.flatMap(record => this.#capture(record, faults));
		// The SDK suppresses tracing while it exports: the journey of a problem is to be traced all the same.
		if (events.length > 0) await context.with(ROOT_CONTEXT, () => this.#callHome.consume(events));
		const [first] = faults;
		if (first) throw new BridgeError('ERR_MALFORMED', `${faults.length} record(s) lost: ${first.message}`, {cause: first});
	}

	#capture(record: ReadableLogRecord, faults: BridgeError[]): readonly HardwareEvent[] {
		try {
			return isCandidate(record, this.#callHome) ? eventsOf(record, this.#callHome, Date.now()) : [];
		} catch (error) {
			faults.push(unreadable(error));
			return [];
		}
	}
}
