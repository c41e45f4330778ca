import type {InventoryPart} from '../../inventory.ts';
import {clean} from './alert.ts';

/** What makers and hypervisors write where nothing stands. */
const nothing =
	/^(|-|\.+|0+|n\/?a|none|null|unknown|undefined|default string|not (specified|available|present|defined|applicable)|no (dimm|asset tag)|to be filled by o\.?e\.?m\.?|system (serial number|manufacturer|product name)|[0f-]{36})$/i;

/** A text that says something, on one line and not too long; else undefined. */
export function said(text: string | null | undefined): string | undefined {
	const word = typeof text === 'string' ? clean(text, 200).trim() : '';
	return nothing.test(word) ? undefined : word;
}

type Told<Value> = {
	[Key in keyof Value as undefined extends Value[Key] ? never : Key]: Value[Key];
} & {[Key in keyof Value as undefined extends Value[Key] ? Key : never]?: Exclude<Value[Key], undefined>};

/** Without what is not known. */
export const told = <Value extends object>(value: Value): Told<Value> =>
	Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Told<Value>;

/** Sorted, so that the same machine gives the same document, and each id once within its type. */
export function withIds(parts: readonly InventoryPart[]): InventoryPart[] {
	const taken = new Map<string, number>();
	const order = new Intl.Collator('en', {numeric: true});
	return parts
		.toSorted((one, other) => order.compare(one.type, other.type) || order.compare(one.id, other.id))
		.map(part => {
			const key = `${part.type} ${part.id}`;
			const count = (taken.get(key) ?? 0) + 1;
			taken.set(key, count);
			return count === 1 ? part : {...part, id: `${part.id}#${count}`};
		});
}
