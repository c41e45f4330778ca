import {isIP} from 'node:net';
import {authority} from '../address.ts';
import type {PathResult} from './diagnosis.ts';

const works = ({outcome}: PathResult) => outcome === 'passed' || outcome === 'warned';

/** What decided the walk was the destination, and no proxy before it. */
const isAtDestination = ({stages, host, port}: PathResult) => [host, authority({host, port})].includes(stages.at(-1)?.peer ?? '');

/** The address to which a walk by name was connected; what the name resolved to, when it did not come so far. */
export function foundAddress({stages, host, port}: PathResult): string | undefined {
	const connected = stages.findLast(({stage, peer}) => stage === 'connection' && peer === authority({host, port}));
	const resolved = stages.findLast(({stage, peer}) => stage === 'name' && peer === host);
	const candidates = [connected?.detail?.replace(/:\d+$/, ''), resolved?.detail?.split(',')[0]];
	return candidates.map(text => text?.replace(/^\[|\]$/g, '').trim() ?? '').find(text => isIP(text) !== 0);
}

/** Writes to the path by name what the two together tell, when they tell something. */
export function compared(byName: PathResult, byAddress: PathResult, from: 'listed' | 'found'): readonly PathResult[] {
	const source = from === 'found' ? {...byAddress, note: 'no address is listed: this one was found by the name'} : byAddress;
	const note = comparison(byName, byAddress, from);
	return [note === undefined ? byName : {...byName, note}, source];
}

function comparison(byName: PathResult, byAddress: PathResult, from: 'listed' | 'found'): string | undefined {
	const {address} = byAddress;
	if (byName.outcome === 'skipped' || byAddress.outcome === 'skipped') return undefined;
	if (works(byName) && works(byAddress)) return undefined;
	if (works(byName)) {
		return from === 'found'
			? `By name it works, and by its address ${address} it does not: what lies on the way goes by names.`
			: `By name it works, and by the listed address ${address} it does not: lists of addresses age, and what lies on the way may go by names. The name counts.`;
	}
	const isDns = byName.failedStage === 'name';
	if (!isAtDestination(byName)) return undefined; // A proxy is no matter of the destination's name.
	if (works(byAddress)) {
		return isDns
			? `The network is good and DNS is not: by the address ${address} it works.`
			: `By the listed address ${address} it works, and where the name leads it does not: DNS gives an address that is not reached from here.`;
	}
	return isDns
		? `DNS fails, and by the listed address ${address} there is no way either: the network fails, too.`
		: `By name and by the listed address ${address} there is no way: this is the network, and not DNS.`;
}
