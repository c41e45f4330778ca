import {promisify} from 'node:util';
import {constants, gunzip, gunzipSync, type ZlibOptions, type ZstdOptions, zstdDecompress, zstdDecompressSync} from 'node:zlib';
import {toError} from '../../errors.ts';
import {tooLarge} from './body.ts';
import type {Refusal} from './refusal.ts';

/** What node:zlib gives with `info: true`. `bytesWritten` is how much of the input it took. */
type Part = {readonly buffer: Buffer; readonly engine: {readonly bytesWritten: number}};
type Options = ZlibOptions & ZstdOptions;
type Decoder = {
	readonly decodeSync: (body: Uint8Array, options: Options) => Part;
	readonly decode: (body: Uint8Array, options: Options) => Promise<Part>;
	readonly options: Options;
	/** How large a body says it is, plain. It may lie. */
	readonly statedBytes?: (body: Buffer) => number;
};

/** The types of node:zlib do not know what `info: true` does to the result. */
const withInfo = <Decode>(decode: unknown) => decode as Decode;

const decoders: Readonly<Record<string, Decoder>> = {
	gzip: {
		decodeSync: withInfo<Decoder['decodeSync']>(gunzipSync),
		decode: withInfo<Decoder['decode']>(promisify(gunzip)),
		options: {},
		statedBytes: body => (body.length >= 4 ? body.readUInt32LE(body.length - 4) : 0), // The trailer ends with it.
	},
	zstd: {
		decodeSync: withInfo<Decoder['decodeSync']>(zstdDecompressSync),
		decode: withInfo<Decoder['decode']>(promisify(zstdDecompress)),
		// 8 MiB, the most that RFC 9659 lets an HTTP peer ask for.
		options: {params: {[constants.ZSTD_d_windowLogMax]: 23}},
	},
};

/** A body so small is inflated at once, without a way through the thread pool; unless it grows past the second limit. */
const smallBytes = 64 * 1024;
const smallInflatedBytes = 1024 * 1024;
/** What a large body is inflated in: each piece is a way through the thread pool. */
const pieceBytes = 64 * 1024;
/** What node:zlib inflates in by itself. */
const leastPieceBytes = 16 * 1024;
/** One byte of deflate is at most so many plain ones: a body that says more lies. */
const mostInflation = 1032;
/** Of one body. Each costs a decoder, and no client sends more than a few. */
const maxParts = 100;

const codingOf = (header = 'identity'): string => header.trim().toLowerCase();

export function unsupportedCoding(header: string | undefined): Refusal | undefined {
	const coding = codingOf(header);
	if (coding === 'identity' || Object.hasOwn(decoders, coding)) return undefined;
	return {refusal: 'unsupported_coding', message: 'Content-Encoding may be gzip, zstd or identity.'};
}

/** Makes the function that undoes a Content-Encoding. Large bodies are inflated two at a time, which bounds the memory they take. */
export function createInflate(limitBytes: number) {
	const inTurn = createTurns(2);
	return async function inflate(body: Buffer, header: string | undefined): Promise<Buffer | Refusal> {
		const decoder = decoders[codingOf(header)];
		if (!decoder || body.length === 0) return body.length > limitBytes ? tooLarge(limitBytes) : body;
		try {
			return inflateSmall(decoder, body, limitBytes) ?? (await inTurn(() => inflateParts(decoder, body, limitBytes)));
		} catch (error) {
			return isOverLimit(error) ? tooLarge(limitBytes, 'The decompressed body') : undecodable(toError(error).message);
		}
	};
}

/** Room for the whole body when it tells its size: to inflate it in one piece takes half the time of many and joining them. */
function pieceFor(body: Buffer, {statedBytes}: Decoder): number {
	const stated = statedBytes ? statedBytes(body) + 1 : 0; // The one more is how the decoder learns that it is at the end.
	return Math.max(leastPieceBytes, Math.min(stated, body.length * mostInflation, smallInflatedBytes));
}

/** Undefined when it is not small after all. */
function inflateSmall(decoder: Decoder, body: Buffer, limitBytes: number): Buffer | undefined {
	if (body.length > smallBytes) return undefined;
	const maxOutputLength = Math.min(limitBytes, smallInflatedBytes);
	try {
		const part = decoder.decodeSync(body, {...decoder.options, info: true, maxOutputLength, chunkSize: pieceFor(body, decoder)});
		return part.engine.bytesWritten === body.length ? part.buffer : undefined;
	} catch (error) {
		if (isOverLimit(error)) return undefined;
		throw error;
	}
}

/** Part after part: node:zlib stops silently after the first frame of a zstd body and would lose the others. */
async function inflateParts({decode, options}: Decoder, body: Buffer, limitBytes: number): Promise<Buffer | Refusal> {
	const parts: Buffer[] = [];
	let rest = body;
	let left = limitBytes;
	while (rest.length > 0) {
		if (parts.length === maxParts) return undecodable(`more than ${maxParts} frames`);
		const maxOutputLength = Math.max(1, left);
		const {buffer, engine} = await decode(rest, {...options, info: true, maxOutputLength, chunkSize: pieceBytes});
		parts.push(buffer);
		rest = rest.subarray(engine.bytesWritten);
		left -= buffer.length;
		if (left < 0) return tooLarge(limitBytes, 'The decompressed body');
	}
	return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
}

const isOverLimit = (error: unknown): boolean =>
	error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';

const undecodable = (reason: string): Refusal => ({
	refusal: 'malformed',
	message: `The body is not what its Content-Encoding says: ${reason}.`,
});

/** Runs at most `limit` pieces of work at a time; the others wait in the order in which they came. */
function createTurns(limit: number) {
	const waiting: (() => void)[] = [];
	let running = 0;
	return async function inTurn<T>(work: () => Promise<T>): Promise<T> {
		if (running < limit) running++;
		else await new Promise<void>(resolve => waiting.push(resolve));
		try {
			return await work();
		} finally {
			const next = waiting.shift();
			if (next) next();
			else running--;
		}
	};
}
