/** One event of a stream, by the rules of the HTML standard ("Server-sent events", interpretation of a stream). */
export type StreamEvent = {readonly id: string; readonly data: string};

const mostBytes = 4 * 1024 ** 2;

/** Reads a stream piece by piece: each call answers the events that are whole by then. Throws when one is endless. */
export function createSseReader(): (piece: Buffer) => readonly StreamEvent[] {
	const decoder = new TextDecoder();
	let rest = '';
	let id = '';
	let data: string[] = [];
	let size = 0;

	function take(line: string): StreamEvent | undefined {
		if (line === '') {
			const event = data.length === 0 ? undefined : {id, data: data.join('\n')};
			data = [];
			size = 0;
			return event;
		}
		const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
		if (field === 'data') {
			size += value.length;
			if (size > mostBytes) throw new RangeError(`an event of the stream is larger than ${mostBytes} characters`);
			data.push(value);
		}
		if (field === 'id' && !value.includes('\0')) id = value.slice(0, 1000);
		return undefined;
	}

	return function read(piece) {
		rest += decoder.decode(piece, {stream: true});
		const lines = rest.split(/\r\n|\n|\r(?!$)/);
		rest = lines.pop() ?? '';
		if (rest.length > mostBytes) throw new RangeError(`a line of the stream is longer than ${mostBytes} characters`);
		return lines.map(take).filter(event => event !== undefined);
	};
}
