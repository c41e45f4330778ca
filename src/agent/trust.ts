import type {Address} from '../sending/address.ts';
import {trusting} from '../sending/authorities.ts';
import type {Ways} from './ways.ts';

/** What the configuration says of the certificates of the exporter's servers. */
export type Vouched = {
	/** Authorities trusted beside the public ones, in PEM. */
	readonly authorities: readonly string[];
	/** SHA-256 of public keys, of which one has to be in the chain. None: any chain. */
	readonly pins: readonly string[];
};

/** Holds for these servers and no others. They are asked for each time: a signed update may lead to other ones. */
export function expectVouched(ways: Ways, {authorities, pins}: Vouched, servers: () => readonly Pick<Address, 'host'>[]): void {
	if (authorities.length === 0 && pins.length === 0) return;
	ways.expect(name => servers().some(({host}) => host === name), trusting(authorities, pins));
}
