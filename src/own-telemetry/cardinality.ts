import {InstrumentType} from '@opentelemetry/sdk-metrics';

/**
Series of one metric. What is observed is told of each system and each target, and its reader bounds it; what is counted as
things happen keeps the SDK's limit. Beyond it the SDK would fold series into one that says nothing.
*/
const usual = 2000;
const observed = 16_000;

/** For an exporter's reader. */
export const cardinalityLimits = {observableGauge: observed, observableUpDownCounter: observed, default: usual} as const;

/** The same, for a reader of our own. */
export const cardinalityOf = (type: InstrumentType): number =>
	type === InstrumentType.OBSERVABLE_GAUGE || type === InstrumentType.OBSERVABLE_UP_DOWN_COUNTER ? observed : usual;
