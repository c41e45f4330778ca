import type {z} from 'zod';
import type {Marks} from '../../source.ts';

/** A mark that is JSON. What cannot be read is as if there were none: it is better to tell something twice than never. */
export async function readMark<Schema extends z.ZodType>(
	marks: Marks,
	key: string,
	schema: Schema,
): Promise<z.output<Schema> | undefined> {
	const text = await marks.read(key);
	if (text === undefined) return undefined;
	try {
		return schema.parse(JSON.parse(text));
	} catch {
		return undefined;
	}
}

export const writeMark = (marks: Marks, key: string, value: unknown): Promise<void> => marks.write(key, JSON.stringify(value));
