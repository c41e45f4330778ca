import {attributeNames, bridgeMetrics, observe} from '../telemetry.ts';

export type LedgerFigures = {
	/** The number of the newest entry. */
	readonly newest: () => Promise<number>;
	/** Of the last verification of the whole; undefined before the first. */
	readonly verified: () => {readonly at: number; readonly breaks: Readonly<Record<string, number>>} | undefined;
};

/** Registers what a scrape reads of the ledger. All kinds of breaks are there, so that a first one is a rise. */
export function observeLedger({newest, verified}: LedgerFigures): void {
	observe(bridgeMetrics.ledgerEntries, async () => [{value: await newest()}]);
	observe(bridgeMetrics.ledgerVerified, () => [verified()].flatMap(one => (one ? [{value: one.at / 1000}] : [])));
	observe(bridgeMetrics.ledgerBreaks, () =>
		Object.entries(verified()?.breaks ?? {}).map(([kind, value]) => ({value, attributes: {[attributeNames.ledgerBreak]: kind}})),
	);
}
