import {addAbortListener} from 'node:events';

export type Limited = {readonly signal: AbortSignal; release(): void};

/**
Aborts when the other signal does, or when the time is over. Released, it leaves neither a timer nor a listener behind, as
`AbortSignal.timeout` would until its time is over: of a thousand modules those are tens of thousands.
*/
export function limitedTo(millis: number, signal: AbortSignal): Limited {
	const limit = new AbortController();
	const over = () => limit.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
	const timer = setTimeout(over, millis);
	const listener = addAbortListener(signal, () => limit.abort(signal.reason));
	return {
		signal: limit.signal,
		release() {
			clearTimeout(timer);
			listener[Symbol.dispose]();
		},
	};
}
