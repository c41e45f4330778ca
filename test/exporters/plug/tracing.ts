import {context, ROOT_CONTEXT, trace} from '@opentelemetry/api';
import {AsyncLocalStorageContextManager} from '@opentelemetry/context-async-hooks';
import {isTracingSuppressed} from '@opentelemetry/core';
import {SimpleLogRecordProcessor} from '@opentelemetry/sdk-logs';
import test from 'ava';
import {CallHomeLogRecordExporter, CallHomeLogRecordProcessor} from '../../../exporters/index.ts';
import {eventually} from '../../helpers/listen.ts';
import {alertOf, intakeWith, startLogger} from '../../helpers/plug.ts';

const emitter = {traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1};

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
test.after.always(() => context.disable());

const processors = {
	processor: (callHome: ReturnType<typeof intakeWith>['callHome']) => new CallHomeLogRecordProcessor(callHome),
	exporter: (callHome: ReturnType<typeof intakeWith>['callHome']) =>
		new SimpleLogRecordProcessor({exporter: new CallHomeLogRecordExporter(callHome)}),
};

for (const [name, create] of Object.entries(processors)) {
	test(`${name}: the event knows the trace it was emitted in, and what the bridge does is in a trace of its own`, async t => {
		const seen: {suppressed: boolean; active: unknown}[] = [];
		const {callHome, taken} = intakeWith(() => {
			seen.push({suppressed: isTracingSuppressed(context.active()), active: trace.getSpanContext(context.active())});
		});
		const {logger} = startLogger(t, [create(callHome)]);
		context.with(trace.setSpanContext(ROOT_CONTEXT, emitter), () => logger.emit(alertOf('drive-1')));
		await eventually(() => taken.length === 1);
		t.is(taken[0]?.traceparent, `00-${emitter.traceId}-${emitter.spanId}-01`);
		t.deepEqual(seen, [{suppressed: false, active: undefined}]);
	});
}
