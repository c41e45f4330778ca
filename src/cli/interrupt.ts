/**
Runs until Ctrl-C, which ends the work and not yet the program: it may say what it has. Then the program ends as others do that
were interrupted (130 in a shell), and at once: a resolver that still waits for DNS would hold it. A second Ctrl-C waits for nothing.
*/
export async function untilInterrupted(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
	const stop = new AbortController();
	const interrupt = () => stop.abort();
	process.once('SIGINT', interrupt);
	try {
		await work(stop.signal);
	} finally {
		process.off('SIGINT', interrupt);
	}
	if (!stop.signal.aborted) return;
	await new Promise<void>(resolve => void process.stdout.write('', () => resolve()));
	process.kill(process.pid, 'SIGINT');
}
