/** Maps all, so many at once. The results stay in order. */
export async function bounded<Item, Result>(
	items: readonly Item[],
	limit: number,
	map: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
	const results: Result[] = [];
	const queue = items.entries();
	async function work() {
		for (const [index, item] of queue) results[index] = await map(item);
	}
	await Promise.all(Array.from({length: Math.min(limit, items.length)}, work));
	return results;
}
