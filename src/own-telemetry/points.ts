import {type HrTime, ValueType} from '@opentelemetry/api';
import {AggregationTemporality, type DataPoint, DataPointType, type MetricData} from '@opentelemetry/sdk-metrics';
import type {MetricDefinition} from '../telemetry.ts';

/** A metric with its values, as the SDK would collect it. */
export function metricOf({name, unit, description, instrument}: MetricDefinition, dataPoints: DataPoint<number>[]): MetricData {
	const common = {
		descriptor: {name, unit, description, valueType: ValueType.DOUBLE},
		aggregationTemporality: AggregationTemporality.CUMULATIVE,
		dataPoints,
	};
	if (instrument === 'gauge') return {...common, dataPointType: DataPointType.GAUGE};
	return {...common, dataPointType: DataPointType.SUM, isMonotonic: instrument === 'counter'};
}

export const pointOf = (
	value: number,
	attributes: DataPoint<number>['attributes'],
	startTime: HrTime,
	endTime: HrTime,
): DataPoint<number> => ({startTime, endTime, attributes, value});
