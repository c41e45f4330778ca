import {create, type DescMessage, type MessageInitShape, toBinary, toJson} from '@bufbuild/protobuf';
import {BinaryReader, BinaryWriter, WireType} from '@bufbuild/protobuf/wire';

export const protobufOf = <Schema extends DescMessage>(schema: Schema, init: MessageInitShape<Schema>): Uint8Array =>
	toBinary(schema, create(schema, init));

const hexOf = (key: string, value: unknown): unknown =>
	(key === 'traceId' || key === 'spanId') && typeof value === 'string' ? Buffer.from(value, 'base64').toString('hex') : value;

/** OTLP/JSON: as protobuf's own mapping, but that ids are hex. */
export const jsonOf = <Schema extends DescMessage>(schema: Schema, init: MessageInitShape<Schema>): Uint8Array =>
	Buffer.from(JSON.stringify(toJson(schema, create(schema, init)), hexOf));

/** One field as it is on the wire. */
type RawField = {readonly number: number; readonly wireType: WireType; readonly data: Uint8Array};

function fieldsOf(bytes: Uint8Array): RawField[] {
	const reader = new BinaryReader(bytes);
	const fields: RawField[] = [];
	while (reader.pos < reader.len) {
		const [number, wireType] = reader.tag();
		fields.push({number, wireType, data: reader.skip(wireType, number)});
	}
	return fields;
}

/** `skip` gives the length prefix along with the content. */
const contentOf = ({data}: RawField): Uint8Array => new BinaryReader(data).bytes();

function messageOf(fields: readonly RawField[]): Uint8Array {
	const writer = new BinaryWriter();
	for (const {number, wireType, data} of fields) writer.tag(number, wireType).raw(data);
	return writer.finish();
}

/** Integers from 0 up to but without the bound. */
export type Chance = (bound: number) => number;

const unknownFields: readonly RawField[] = [
	{number: 900, wireType: WireType.Varint, data: Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)},
	{number: 901, wireType: WireType.Bit64, data: new Uint8Array(8)},
	{number: 15, wireType: WireType.Bit32, data: new Uint8Array(4)},
	{number: 902, wireType: WireType.LengthDelimited, data: Uint8Array.of(3, 0x32, 0xff, 0xff)},
	{number: 14, wireType: WireType.StartGroup, data: Uint8Array.of(0x0a, 1, 65, 0x13, 0x14, 0x74)},
];

/** Another order of the fields, in which those of the same number stay in theirs. */
function reordered(fields: readonly RawField[], chance: Chance): RawField[] {
	const queues = Object.values(Object.groupBy(fields, field => field.number)).map(queue => [...(queue ?? [])]);
	const result: RawField[] = [];
	while (result.length < fields.length) {
		const queue = queues[chance(queues.length)];
		const field = queue?.shift();
		if (field) result.push(field);
	}
	return result;
}

/**
The same kind of message, written as no encoder does but any may: fields in another order, unknown ones between them, and
some that occur again, taken from other messages of the same type. A decoder has to make the same of it as any other.
*/
export function rewritten(
	schema: DescMessage,
	bytes: Uint8Array,
	chance: Chance,
	seen = new Map<string, RawField[]>(),
): Uint8Array {
	const pool = seen.get(schema.typeName) ?? [];
	seen.set(schema.typeName, pool);
	const fields = fieldsOf(bytes).map((field): RawField => {
		const nested = schema.fields.find(({number}) => number === field.number)?.message;
		if (!nested) return field;
		return {...field, data: new BinaryWriter().bytes(rewritten(nested, contentOf(field), chance, seen)).finish()};
	});
	pool.push(...fields);
	const again = pool[chance(pool.length * 4)];
	const unknown = unknownFields[chance(unknownFields.length * 4)];
	return messageOf(reordered([...fields, ...(again ? [again] : []), ...(unknown ? [unknown] : [])], chance));
}
