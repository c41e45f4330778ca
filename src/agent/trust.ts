import type {Config} from '../config.ts';
import type {Address} from '../sending/address.ts';
import {readAuthorities, trusting} from '../sending/authorities.ts';
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

/**
The update server's `ca_file` vouches for the host of its `url`, and for nobody that something is sent to: neither by its own
name nor by a list of servers that an update brings.
*/
export function expectUpdateServer(ways: Ways, {destinations: {updates}}: Pick<Config, 'destinations'>): void {
	if (updates?.ca_file === undefined) return;
	const {hostname} = updates.url;
	const takesSubmissions = () =>
		ways
			.destinations()
			.some(({purpose, servers}) => purpose !== 'configuration_updates' && servers.some(({host}) => host === hostname));
	ways.expect(name => name === hostname && !takesSubmissions(), trusting(readAuthorities(updates.ca_file)));
}
