import {type ExportResult, ExportResultCode} from '@opentelemetry/core';
import type {PushMetricExporter, ResourceMetrics} from '@opentelemetry/sdk-metrics';

/**
Exports the metrics of the monitored machines after the bridge's own. An OTLP request of this SDK has one resource, so each
machine is one request, one after another. The first that fails ends the round: the rest would fail as well.
*/
export function withMachines(inner: PushMetricExporter, machines: () => readonly ResourceMetrics[]): PushMetricExporter {
	const exportOne = (metrics: ResourceMetrics) => new Promise<ExportResult>(resolve => inner.export(metrics, resolve));

	async function exportAll(own: ResourceMetrics): Promise<ExportResult> {
		for (const metrics of [own, ...machines()]) {
			const result = await exportOne(metrics);
			if (result.code !== ExportResultCode.SUCCESS) return result;
		}
		return {code: ExportResultCode.SUCCESS};
	}

	return {
		export(own, done) {
			exportAll(own).then(done, error => done({code: ExportResultCode.FAILED, error}));
		},
		forceFlush: () => inner.forceFlush(),
		shutdown: () => inner.shutdown(),
		...(inner.selectAggregationTemporality && {
			selectAggregationTemporality: inner.selectAggregationTemporality.bind(inner),
		}),
		...(inner.selectAggregation && {selectAggregation: inner.selectAggregation.bind(inner)}),
	};
}
