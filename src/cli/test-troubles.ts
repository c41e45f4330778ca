import {authority} from '../sending/address.ts';
import {type ExaminedStage, goesAsSent, type PathResult} from '../sending/doctor/diagnosis.ts';

/** A broken hop, with everything that it keeps from being reached. */
export type Trouble = {
	/** As it was seen first. */
	readonly stage: ExaminedStage;
	readonly connection: string;
	/** HOST:PORT of each server, and the address when it was walked to by that. */
	readonly led: readonly string[];
	/** Of them, those for which it was said in other words, as a name is in them. */
	readonly others: readonly string[];
	/** Somebody who goes by names, as the bridge does, meets it. */
	readonly isByName: boolean;
};

/**
Each broken hop once: a proxy that is gone is one, however much goes over it, and so is a DNS server. Those that the bridge
meets come first.
*/
export function troublesIn(paths: readonly PathResult[]): readonly Trouble[] {
	const found = new Map<string, Trouble>();
	for (const path of paths) {
		for (const stage of path.stages.filter(({outcome}) => outcome === 'failed' || outcome === 'warned')) {
			const key = keyOf(path, stage);
			found.set(key, joined(found.get(key), path, stage));
		}
	}
	return [...found.values()].toSorted((one, other) => Number(other.isByName) - Number(one.isByName));
}

/** The same failure at the same peer; of a server, at each server for the same cause. */
function keyOf({connection}: PathResult, {stage, peer, error, warning, finding}: ExaminedStage): string {
	const isProxy = stage.startsWith('proxy');
	const what = finding?.short ?? error?.message ?? warning;
	return JSON.stringify([connection, stage, error?.code, what, isProxy && peer]);
}

function joined(before: Trouble | undefined, path: PathResult, stage: ExaminedStage): Trouble {
	const {connection, host, port, address} = path;
	const to = authority({host, port});
	const led = address === undefined || address === host ? to : `${to} at ${address}`;
	const isByName = goesAsSent(path);
	if (!before) return {stage, connection, led: [led], others: [], isByName};
	const isSaid = said(stage) === said(before.stage);
	return {
		...before,
		led: [...before.led, led],
		others: isSaid ? before.others : [...before.others, led],
		isByName: before.isByName || isByName,
	};
}

const said = ({error, warning, finding}: ExaminedStage): string => JSON.stringify([error?.message ?? warning, finding?.advice]);
