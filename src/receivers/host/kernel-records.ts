/** A record of the kernel's log. */
export type KernelRecord = {
	/** Counts up from the boot on. */
	readonly sequence: number;
	/** Microseconds since the boot. */
	readonly micros: number;
	/** 0 (emergency) to 7 (debug). */
	readonly level: number;
	readonly text: string;
};

/**
Reads `6,339,5140900,-;text`, as /dev/kmsg gives it. Undefined for what is no record, and for what a program wrote there: only
the kernel itself (facility 0) tells of hardware. Continuation lines, with a space before them, are none.
*/
export function readRecord(line: string): KernelRecord | undefined {
	const match = /^(\d{1,4}),(\d{1,16}),(\d{1,16})[^;]{0,100};(.*)$/.exec(line);
	if (!match) return undefined;
	const [priority = 0, sequence = 0, micros = 0] = match.slice(1, 4).map(Number);
	if (priority >= 8 || !Number.isSafeInteger(sequence)) return undefined;
	return {sequence, micros, level: priority, text: unescaped(match[4] ?? '')};
}

/** Bytes that cannot be printed are written as `\x0a`. */
const unescaped = (text: string): string =>
	text.slice(0, 4096).replaceAll(/\\x([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));

/** A record of the journal: the kernel's line with the journal's own place for it. */
export type JournalRecord = {readonly cursor: string; readonly micros: number; readonly boot: string; readonly text: string};

/** Reads a line of `journalctl -o json`. A message that is not text comes as the list of its bytes. */
export function readJournal(line: string): JournalRecord | undefined {
	let fields: unknown;
	try {
		fields = JSON.parse(line);
	} catch {
		return undefined;
	}
	if (typeof fields !== 'object' || fields === null) return undefined;
	const {__CURSOR: cursor, __REALTIME_TIMESTAMP: realtime, _BOOT_ID: boot, MESSAGE: message} = fields as Record<string, unknown>;
	if (typeof cursor !== 'string' || cursor.length > 1000) return undefined;
	const text = typeof message === 'string' ? message : Array.isArray(message) ? bytesToText(message) : '';
	return {
		cursor,
		micros: Number(realtime) || 0,
		boot: typeof boot === 'string' ? boot.slice(0, 64) : '',
		text: text.slice(0, 4096),
	};
}

const bytesToText = (bytes: readonly unknown[]): string =>
	Buffer.from(bytes.slice(0, 4096).filter((byte): byte is number => typeof byte === 'number')).toString('utf8');
