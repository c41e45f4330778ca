import {readdir} from 'node:fs/promises';
import {type EventLoopUtilization, monitorEventLoopDelay, performance} from 'node:perf_hooks';
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

/**
What the process of the bridge costs, under the names of the semantic conventions. Those of them that are not stable yet are
written out, here and in resource.ts: the package that holds them takes 6 MB.
*/
export const processMetrics = {
	memory: define('process.memory.usage', 'updowncounter', 'By', 'The amount of physical memory in use.'),
	cpu: define('process.cpu.time', 'counter', 's', 'Processor time, by mode.'),
	uptime: define('process.uptime', 'gauge', 's', 'The time the process has been running.'),
	fileDescriptors: define('process.unix.file_descriptor.count', 'updowncounter', '{file_descriptor}', 'Open file descriptors.'),
	delayMean: define('nodejs.eventloop.delay.mean', 'gauge', 's', 'Mean delay of the event loop in the last window.'),
	delayP99: define('nodejs.eventloop.delay.p99', 'gauge', 's', '99th percentile of the event loop delay in the last window.'),
	delayMax: define('nodejs.eventloop.delay.max', 'gauge', 's', 'Longest delay of the event loop in the last window.'),
	utilization: define('nodejs.eventloop.utilization', 'gauge', '1', 'Part of the time in which the event loop was busy.'),
} satisfies Record<string, MetricDefinition>;

/** Observes the process from now on, once the SDK is registered. The result ends the measuring of the event loop. */
export function observeProcess(): () => void {
	const eventLoop = watchEventLoop();
	observe(processMetrics.memory, () => [{value: process.memoryUsage.rss()}]);
	observe(processMetrics.cpu, () => {
		const {user, system} = process.cpuUsage(); // Microseconds.
		return [
			{value: user / 1e6, attributes: {'cpu.mode': 'user'}},
			{value: system / 1e6, attributes: {'cpu.mode': 'system'}},
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
