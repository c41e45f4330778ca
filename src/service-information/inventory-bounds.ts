import {isIP} from 'node:net';
import {BridgeError} from '../errors.ts';
import type {Inventory, InventoryPart} from '../inventory.ts';

const most = {parts: 5000, packages: 20_000, network: 1000, faults: 100} as const;
/** Bytes of the JSON text. */
const longest = 2 * 1024 ** 2;

const isTooLong = (inventory: Inventory): boolean => Buffer.byteLength(JSON.stringify(inventory)) > longest;

/**
Within limits, whatever was found. What does not fit is left out, and named among the faults. Rejects with ERR_TOO_LARGE what
is too long even so. Where the network is not told of, no address of it stands in another place (G5).
*/
export function bounded(inventory: Inventory): Inventory {
	const cut = withinCounts(inventory.network ? inventory : withoutAddresses(inventory));
	if (!isTooLong(cut)) return cut;
	const {packages, ...rest} = cut;
	const smaller = packages ? withFault(rest, 'packages: too long to be told, left out') : rest;
	return isTooLong(smaller) ? withFewerParts(smaller) : smaller;
}

const withFault = (inventory: Inventory, fault: string): Inventory => ({...inventory, faults: [...inventory.faults, fault]});

function withinCounts(inventory: Inventory): Inventory {
	const {network, packages, ...rest} = inventory;
	const faults = [...inventory.faults].slice(0, most.faults);
	const within = <Item>(what: string, items: readonly Item[], limit: number): readonly Item[] => {
		if (items.length > limit) faults.push(`${what}: ${items.length} found, the first ${limit} are told`);
		return items.slice(0, limit);
	};
	return {
		...rest,
		parts: within('parts', inventory.parts, most.parts),
		...(network && {network: within('network interfaces', network, most.network)}),
		...(packages && {packages: within('packages', packages, most.packages)}),
		faults,
	};
}

function withFewerParts(inventory: Inventory): Inventory {
	const {length} = inventory.parts;
	for (let count = Math.floor(length / 2); count > 0; count = Math.floor(count / 2)) {
		const parts = inventory.parts.slice(0, count);
		const cut = withFault({...inventory, parts}, `parts: ${length} found, the first ${count} are told: more would be too long`);
		if (!isTooLong(cut)) return cut;
	}
	throw new BridgeError('ERR_TOO_LARGE', `an inventory of more than ${longest} bytes`);
}

const isMac = (text: string): boolean => /^[\da-f]{2}([:-])(?:[\da-f]{2}\1){4}[\da-f]{2}$/i.test(text);
const isAddress = (text: string): boolean =>
	isMac(text) || [text, text.replace(/[.:]+$/, ''), text.replace(/:\d{1,5}[.:]?$/, '')].some(each => isIP(each) !== 0);

const withoutWords = (text: string, isUnwanted: (word: string) => boolean): string =>
	text.replaceAll(/[^\s,;()[\]"'<>=@/]+/g, word => (isUnwanted(word) ? '(address)' : word));

/** An error names the address that was asked, and some cards bear theirs as a serial number. */
function withoutAddresses(inventory: Inventory): Inventory {
	const told = (text: string) => withoutWords(text, isMac);
	const withoutMac = ({name, serialNumber, location, ...part}: InventoryPart): InventoryPart => ({
		...part,
		...(name !== undefined && {name: told(name)}),
		...(serialNumber !== undefined && !isMac(serialNumber) && {serialNumber}),
		...(location !== undefined && {location: told(location)}),
	});
	return {
		...inventory,
		parts: inventory.parts.map(withoutMac),
		faults: inventory.faults.map(fault => withoutWords(fault, isAddress)),
	};
}
