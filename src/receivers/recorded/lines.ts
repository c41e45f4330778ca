import {createReadStream} from 'node:fs';

/** A longer line is none of a recording. In characters. */
export const longestLine = 8 * 1024 * 1024;

export type Line = {readonly number: number; readonly text: string; readonly isTooLong: boolean; readonly bytesRead: number};

/** The lines of a file of any size, one at a time; of one that is too long only the beginning. */
export async function* linesOf(file: string): AsyncGenerator<Line> {
	const stream = createReadStream(file, {encoding: 'utf8', highWaterMark: 256 * 1024});
	let rest = '';
	let isTooLong = false;
	let number = 0;
	for await (const part of stream as AsyncIterable<string>) {
		const pieces = (rest + part).split('\n');
		rest = pieces.pop() ?? '';
		for (const piece of pieces) {
			yield {number: ++number, text: piece.replace(/\r$/, ''), isTooLong, bytesRead: stream.bytesRead};
			isTooLong = false;
		}
		if (rest.length > longestLine) {
			rest = rest.slice(0, 100);
			isTooLong = true;
		}
	}
	if (rest !== '') yield {number: ++number, text: rest, isTooLong, bytesRead: stream.bytesRead};
}
