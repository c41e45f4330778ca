/** Runs until Ctrl-C, which ends the work and not the program: it may say what it has. A second one ends that, too. */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
	const stop = new AbortController();
	const interrupt = () => stop.abort();
	process.once('SIGINT', interrupt);
	try {
		return await work(stop.signal);
	} finally {
		process.off('SIGINT', interrupt);
	}
}
