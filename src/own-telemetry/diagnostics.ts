import {DiagLogLevel, diag} from '@opentelemetry/api';
import {setGlobalErrorHandler} from '@opentelemetry/core';

export type Log = (message: string) => void;

/**
Says what goes wrong in the telemetry itself, through `log` and nowhere else: one line, without a stack. The SDK would print
to the console.
*/
export function routeDiagnostics(log: Log): void {
	const report = (...parts: unknown[]) => log(['telemetry:', ...parts.map(partText).filter(text => text !== '')].join(' '));
	const ignore = () => {};
	const logger = {error: report, warn: report, info: ignore, debug: ignore, verbose: ignore};
	diag.setLogger(logger, {logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true});
	setGlobalErrorHandler(error => report(error));
}

function partText(part: unknown): string {
	if (typeof part === 'string') return firstLineOf(part);
	if (typeof part !== 'object' || part === null || !('message' in part)) return '';
	// An HTTP status or a system error: a refused connection to a name with two addresses has nothing but its code.
	const code = 'code' in part && part.code !== undefined ? String(part.code) : '';
	const message = firstLineOf(String(part.message));
	return message.includes(code) ? message : `${code} ${message}`.trim();
}

const firstLineOf = (text: string) => text.split('\n', 1)[0] ?? '';

const mostDistinctMessages = 100;

/** The same message once in an interval, then with how many were left out. Messages that differ in numbers only are the same. */
export function rateLimited(log: Log, {intervalMillis = 60_000, now = Date.now} = {}): Log {
	const seen = new Map<string, {readonly since: number; omitted: number}>();
	return function logSometimes(message) {
		const kind = message.replace(/\d+/g, '#');
		const last = seen.get(kind);
		if (last && now() - last.since < intervalMillis) {
			last.omitted++;
			return;
		}
		if (seen.size >= mostDistinctMessages) seen.clear();
		seen.set(kind, {since: now(), omitted: 0});
		log(last?.omitted ? `${message} (and ${last.omitted} more like it)` : message);
	};
}
