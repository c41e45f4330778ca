/** Chance that can be had again: the same seed gives the same draws. */
export type Random = {
	/** From 0 up to, and without, 1. */
	next(): number;
	between(least: number, most: number): number;
	/** Both ends included. */
	integer(least: number, most: number): number;
	chance(probability: number): boolean;
	pick<Item>(items: readonly [Item, ...Item[]]): Item;
	/** Mostly short, now and then long: the time until something that may happen at any moment. */
	waiting(meanMillis: number, least: number, most: number): number;
	/** Another source, so that who draws from it disturbs nobody else's draws. */
	fork(): Random;
};

const twoTo32 = 2 ** 32;

/** A Weyl sequence with its bits mixed: short, and good enough to choose moments. */
export function createRandom(seed: number): Random {
	let state = seed >>> 0;

	function next(): number {
		state = (state + 0x9e37_79b9) >>> 0;
		let mixed = state;
		mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
		mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
		return ((mixed ^ (mixed >>> 16)) >>> 0) / twoTo32;
	}

	const between = (least: number, most: number) => least + next() * (most - least);
	const integer = (least: number, most: number) => least + Math.floor(next() * (most - least + 1));
	return {
		next,
		between,
		integer,
		chance: probability => next() < probability,
		pick: items => items[integer(0, items.length - 1)] ?? items[0],
		waiting: (meanMillis, least, most) => Math.min(Math.max(-meanMillis * Math.log(1 - next()), least), most),
		fork: () => createRandom(integer(0, twoTo32 - 1)),
	};
}
