import type {ForceFlushOptions, LogRecordProcessor, ReadableLogRecord, ReadWriteLogRecord} from '@opentelemetry/sdk-logs';
import {Backlog, type BacklogOptions} from './backlog.ts';
import {type CallHomeIntake, eventsOf, isCandidate, snapshotOf, unreadable} from './capture.ts';

/** How long an event waits for resource attributes that a detector is still looking for. */
const resourcePatienceMillis = 5000;

/**
Stores the hardware events among a program's log records, and sends them to IBM. There is no lossy queue in front of the
store: what the store does not take at the moment waits in memory and is tried again, up to `maxQueueSize` events.

```ts
const callHome = await startCallHome();
const sdk = new NodeSDK({logRecordProcessors: [new CallHomeLogRecordProcessor(callHome)]});
sdk.start();
```

`forceFlush()` and `shutdown()` resolve when every event emitted before is on disk, and reject with a BridgeError when one
is not. A loss is named once, by the next of them. Shut the SDK down before the bridge.
*/
export class CallHomeLogRecordProcessor implements LogRecordProcessor {
	readonly #callHome: CallHomeIntake;
	readonly #backlog: Backlog;

	constructor(callHome: CallHomeIntake, options: BacklogOptions = {}) {
		this.#callHome = callHome;
		this.#backlog = new Backlog(callHome.consume, options);
	}

	/** Never throws and never waits. The record is taken as it is now: later processors may change it. */
	onEmit(record: ReadWriteLogRecord): void {
		try {
			if (!isCandidate(record, this.#callHome)) return;
			if (record.resource.asyncAttributesPending) this.#captureLater(snapshotOf(record));
			else this.#backlog.add(this.#capture(record));
		} catch (error) {
			this.#backlog.lose(unreadable(error));
		}
	}

	forceFlush({timeoutMillis}: ForceFlushOptions = {}): Promise<void> {
		return this.#backlog.flush(timeoutMillis);
	}

	shutdown(): Promise<void> {
		return this.#backlog.shutdown();
	}

	#capture(record: ReadableLogRecord, receivedAt = Date.now()) {
		try {
			return eventsOf(record, this.#callHome, receivedAt);
		} catch (error) {
			this.#backlog.lose(unreadable(error));
			return [];
		}
	}

	/** The machine is named on the resource, of which a part may come later, such as `host.id`. */
	#captureLater(record: ReadableLogRecord): void {
		const receivedAt = Date.now();
		this.#backlog.addLater(completed(record.resource), () => this.#capture(record, receivedAt));
	}
}

function completed(resource: ReadableLogRecord['resource']): Promise<unknown> {
	const {promise, resolve} = Promise.withResolvers<void>();
	const patience = setTimeout(resolve, resourcePatienceMillis);
	return Promise.race([resource.waitForAsyncAttributes?.(), promise]).finally(() => clearTimeout(patience));
}
