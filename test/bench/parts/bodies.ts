import {constants, crc32, deflateRawSync} from 'node:zlib';
import {alert, chatter, createChance, encode, machine, service} from './records.ts';

/** What a request holds, and how many faults its alerts are about, in turn. */
export const shapes = {
	/** 512 records, one in a hundred an alert. */
	forwarded: {records: 512, alerts: () => 5, faults: 40},
	/** 512 records, one in a thousand an alert. */
	sparse: {records: 512, alerts: (index: number) => (index + 1) % 2, faults: 40},
	/** 512 alerts. */
	alerts: {records: 512, alerts: () => 512, faults: 1000},
	/** One alert. */
	single: {records: 1, alerts: () => 1, faults: 1000},
} as const;
export type Shape = keyof typeof shapes;

/** Some bytes of a request, plain and compressed so that pieces can be put together to one gzip body. */
type Piece = {readonly plain: Buffer; readonly deflated: Buffer};

const pieceOf = (plain: Buffer): Piece => ({
	plain,
	deflated: deflateRawSync(plain, {finishFlush: constants.Z_FULL_FLUSH}),
});

const gzipHeader = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
const lastBlock = Buffer.from([3, 0]);

/** One gzip member of all the pieces: the large ones are compressed once for many requests. */
function gzipped(pieces: readonly Piece[]): Buffer {
	const trailer = Buffer.alloc(8);
	trailer.writeUInt32LE(
		pieces.reduce((sum, {plain}) => crc32(plain, sum), 0),
		0,
	);
	trailer.writeUInt32LE(
		pieces.reduce((sum, {plain}) => sum + plain.length, 0),
		4,
	);
	return Buffer.concat([gzipHeader, ...pieces.map(({deflated}) => deflated), lastBlock, trailer]);
}

/** Enough different ones that no cache of the receiver learns them by heart. */
const differentBulks = 20;

/** The records of no interest in a request, from four services, before and after the alerts. */
function bulkPieces(records: number): readonly (readonly [Piece, Piece])[] {
	return Array.from({length: differentBulks}, (_, seed) => {
		const chance = createChance(seed);
		const ofService = (index: number, share: number) =>
			encode(
				service(index),
				Array.from({length: share}, (_, at) => chatter(at, chance)),
			);
		const quarter = Math.floor(records / 4);
		const before = Buffer.concat([ofService(0, quarter), ofService(1, quarter)]);
		const after = Buffer.concat([ofService(2, quarter), ofService(3, records - 3 * quarter)]);
		return [pieceOf(before), pieceOf(after)] as const;
	});
}

/** So few faults of each machine are no storm. */
const faultsOfMachine = 8;

/** Alerts from number `first` on, each about the next of the faults, those of a machine together. */
function alertBytes(first: number, count: number, faults: number): Buffer {
	const byMachine = Map.groupBy(
		Array.from({length: count}, (_, index) => first + index),
		number => Math.floor((number % faults) / faultsOfMachine),
	);
	return Buffer.concat(
		[...byMachine].map(([index, numbers]) =>
			encode(
				machine(index),
				numbers.map(number => alert(number, number % faultsOfMachine)),
			),
		),
	);
}

export type Bodies = {
	readonly bodies: readonly Buffer[];
	readonly headers: Readonly<Record<string, string>>;
	readonly alerts: number;
	readonly records: number;
};
const protobuf = {'content-type': 'application/x-protobuf'};

/** So many requests of a shape; their alerts are numbered from `first` on and occur nowhere else. */
export function createBodies(shape: Shape, first: number, count: number): Bodies {
	const {records, alerts, faults} = shapes[shape];
	const bulks = records > alerts(0) ? [bulkPieces(records - alerts(0)), bulkPieces(records - alerts(1))] : [];
	let next = first;
	const bodies = Array.from({length: count}, (_, index) => {
		const plain = alertBytes(next, alerts(index), faults);
		next += alerts(index);
		if (shape === 'single') return plain;
		const [before, after] = bulks[index % 2]?.[index % differentBulks] ?? [];
		return gzipped([before, pieceOf(plain), after].filter(piece => piece !== undefined));
	});
	const headers = shape === 'single' ? protobuf : {...protobuf, 'content-encoding': 'gzip'};
	return {bodies, headers, alerts: next - first, records: count * records};
}
