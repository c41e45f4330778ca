import {metrics} from '@opentelemetry/api';
import {MeterProvider, type ScopeMetrics} from '@opentelemetry/sdk-metrics';
import type {ExecutionContext} from 'ava';
import {createObserved} from '../../src/own-telemetry/observed.ts';
import {createPrometheusReader} from '../../src/own-telemetry/prometheus.ts';

/** The page of metrics of this process, registered with the OpenTelemetry API until the test ends. One at a time. */
export function startPage(t: ExecutionContext, more?: () => readonly ScopeMetrics[]) {
	const {reader, page} = createPrometheusReader(more);
	const observed = createObserved();
	const provider = new MeterProvider({readers: [observed.readBy(reader)]});
	metrics.setGlobalMeterProvider(observed.over(provider));
	t.teardown(async () => {
		metrics.disable();
		await provider.shutdown();
	});
	return {page};
}
