import {readdir} from 'node:fs/promises';
import {type EventLoopUtilization, monitorEventLoopDelay, performance} from 'node:perf_hooks';
import {
	ATTR_CPU_MODE,
	CPU_MODE_VALUE_SYSTEM,
	CPU_MODE_VALUE_USER,
	METRIC_NODEJS_EVENTLOOP_DELAY_MAX,
	METRIC_NODEJS_EVENTLOOP_DELAY_MEAN,
	METRIC_NODEJS_EVENTLOOP_DELAY_P99,
	METRIC_NODEJS_EVENTLOOP_UTILIZATION,
	METRIC_PROCESS_CPU_TIME,
	METRIC_PROCESS_MEMORY_USAGE,
	METRIC_PROCESS_UNIX_FILE_DESCRIPTOR_COUNT,
	METRIC_PROCESS_UPTIME,
} from '@opentelemetry/semantic-conventions/incubating';
import {type MetricDefinition, observe} from '../telemetry.ts';

const define = (
	name: string,
	instrument: MetricDefinition['instrument'],
	unit: string,
	description: string,
): MetricDefinition => ({
	name,
	instrument,
	unit,
	description,
});

/** What the process of the bridge costs, under the names of the semantic conventions. */
export const processMetrics = {
	memory: define(METRIC_PROCESS_MEMORY_USAGE, 'updowncounter', 'By', 'The amount of physical memory in use.'),
	cpu: define(METRIC_PROCESS_CPU_TIME, 'counter', 's', 'Processor time, by mode.'),
	uptime: define(METRIC_PROCESS_UPTIME, 'gauge', 's', 'The time the process has been running.'),
	fileDescriptors: define(
		METRIC_PROCESS_UNIX_FILE_DESCRIPTOR_COUNT,
		'updowncounter',
		'{file_descriptor}',
		'Open file descriptors.',
	),
	delayMean: define(METRIC_NODEJS_EVENTLOOP_DELAY_MEAN, 'gauge', 's', 'Mean delay of the event loop in the last window.'),
	delayP99: define(
		METRIC_NODEJS_EVENTLOOP_DELAY_P99,
		'gauge',
		's',
		'99th percentile of the event loop delay in the last window.',
	),
	delayMax: define(METRIC_NODEJS_EVENTLOOP_DELAY_MAX, 'gauge', 's', 'Longest delay of the event loop in the last window.'),
	utilization: define(METRIC_NODEJS_EVENTLOOP_UTILIZATION, 'gauge', '1', 'Part of the time in which the event loop was busy.'),
} satisfies Record<string, MetricDefinition>;

/** Observes the process from now on, once the SDK is registered. The result ends the measuring of the event loop. */
export function observeProcess(): () => void {
	const eventLoop = watchEventLoop();
	observe(processMetrics.memory, () => [{value: process.memoryUsage.rss()}]);
	observe(processMetrics.cpu, () => {
		const {user, system} = process.cpuUsage(); // Microseconds.
		return [
			{value: user / 1e6, attributes: {[ATTR_CPU_MODE]: CPU_MODE_VALUE_USER}},
			{value: system / 1e6, attributes: {[ATTR_CPU_MODE]: CPU_MODE_VALUE_SYSTEM}},
		];
	});
	observe(processMetrics.uptime, () => [{value: process.uptime()}]);
	if (process.platform === 'linux')
		observe(processMetrics.fileDescriptors, async () => [{value: (await readdir('/proc/self/fd')).length}]);
	observe(processMetrics.delayMean, () => [{value: eventLoop.read().mean}]);
	observe(processMetrics.delayP99, () => [{value: eventLoop.read().p99}]);
	observe(processMetrics.delayMax, () => [{value: eventLoop.read().max}]);
	observe(processMetrics.utilization, () => [{value: eventLoop.read().utilization}]);
	return eventLoop.stop;
}

export type EventLoopWindow = {readonly mean: number; readonly p99: number; readonly max: number; readonly utilization: number};

const resolutionMillis = 20;

/**
Measures in windows of about `windowMillis`: the page and the OTLP export both read, and neither may shorten the other's
window. A reader sees the last whole window, or the first one as far as it has come.
*/
export function watchEventLoop({windowMillis = 10_000, now = Date.now} = {}): {read(): EventLoopWindow; stop(): void} {
	const histogram = monitorEventLoopDelay({resolution: resolutionMillis});
	histogram.enable();
	let since = now();
	let before: EventLoopUtilization = performance.eventLoopUtilization();
	let whole: EventLoopWindow | undefined;

	// The histogram holds the whole time between two ticks, and a tick is due once in a resolution.
	const delay = (nanos: number) => (histogram.count === 0 ? 0 : Math.max(0, nanos / 1e9 - resolutionMillis / 1000));
	const measure = (): EventLoopWindow => ({
		mean: delay(histogram.mean),
		p99: delay(histogram.percentile(99)),
		max: delay(histogram.max),
		utilization: performance.eventLoopUtilization(before).utilization,
	});
	return {
		read() {
			if (now() - since < windowMillis) return whole ?? measure();
			whole = measure();
			histogram.reset();
			before = performance.eventLoopUtilization();
			since = now();
			return whole;
		},
		stop: () => void histogram.disable(),
	};
}
