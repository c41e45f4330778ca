/** The longest part; SQLite takes 32,766 parameters in one statement. */
const longest = 256;

/**
Runs a query over a long list in parts, and joins the rows. The lengths are powers of two: a handful of statements then
serves lists of every length, and all of them stay prepared.
*/
export async function inChunks<Item, Row>(
	items: readonly Item[],
	query: (chunk: Item[]) => Promise<readonly Row[]>,
): Promise<Row[]> {
	const rows: Row[] = [];
	let start = 0;
	while (start < items.length) {
		const length = Math.min(longest, 2 ** Math.floor(Math.log2(items.length - start)));
		for (const row of await query(items.slice(start, start + length))) rows.push(row);
		start += length;
	}
	return rows;
}
