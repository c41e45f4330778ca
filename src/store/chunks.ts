/** SQLite takes 32,766 parameters in one statement; batches of one length also keep the statements few. */
const chunkLength = 500;

/** Runs a query over a long list in parts of bounded length, and joins the rows. */
export async function inChunks<Item, Row>(
	items: readonly Item[],
	query: (chunk: Item[]) => Promise<readonly Row[]>,
): Promise<Row[]> {
	const rows: Row[] = [];
	for (let start = 0; start < items.length; start += chunkLength) {
		rows.push(...(await query(items.slice(start, start + chunkLength))));
	}
	return rows;
}
