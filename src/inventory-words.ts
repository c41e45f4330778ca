import type {InventoryPart} from './inventory.ts';

/** What makers and hypervisors write where nothing stands. */
const nothing =
	/^(|-|\.+|0+|n\/?a|none|null|unknown|undefined|default string|not (specified|available|present|defined|applicable)|no (dimm|asset tag)|to be filled by o\.?e\.?m\.?|system (serial number|manufacturer|product name)|[0f-]{36})$/i;

/** A text that says something, on one line and not too long; else undefined. */
export function wordIn(value: unknown, longest = 200): string | undefined {
	if (typeof value !== 'string') return undefined;
	const text = value
		.slice(0, 10 * longest)
		.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029\s]+/gu, ' ')
		.trim()
		.slice(0, longest)
		.trim()
		.toWellFormed();
	return nothing.test(text) ? undefined : text;
}

/** A quantity that can be: neither less than nothing nor beyond what a double counts exactly. */
export const quantityIn = (value: unknown): number | undefined =>
	typeof value === 'number' && value > 0 && value <= Number.MAX_SAFE_INTEGER ? value : undefined;

type Told<Value> = {
	[Key in keyof Value as undefined extends Value[Key] ? never : Key]: Value[Key];
} & {[Key in keyof Value as undefined extends Value[Key] ? Key : never]?: Exclude<Value[Key], undefined>};

/** Without what is not known. */
export const withoutUnknown = <Value extends object>(value: Value): Told<Value> =>
	Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Told<Value>;

const {compare} = new Intl.Collator('en', {numeric: true});

/** In an order that does not depend on who answered first, and each id once within its type. */
export function inOrder(parts: readonly InventoryPart[]): InventoryPart[] {
	const taken = new Set<string>();
	return parts
		.toSorted((one, other) => compare(one.type, other.type) || compare(one.id, other.id))
		.filter(({type, id}) => {
			const key = `${type} ${id}`;
			const isNew = !taken.has(key);
			taken.add(key);
			return isNew;
		});
}

/** In the same order; of several with one id each is a part of its own, for a place may be named twice. */
export function numbered(parts: readonly InventoryPart[]): InventoryPart[] {
	const counts = new Map<string, number>();
	return parts
		.toSorted((one, other) => compare(one.type, other.type) || compare(one.id, other.id))
		.map(part => {
			const key = `${part.type} ${part.id}`;
			const count = (counts.get(key) ?? 0) + 1;
			counts.set(key, count);
			return count === 1 ? part : {...part, id: `${part.id}#${count}`};
		});
}
