import {createHash} from 'node:crypto';
import {accessSync, constants, readFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {delimiter, join} from 'node:path';

/** Where test/peers/install.sh keeps what it builds: outside the checkout, so that a fresh one needs no second build. */
const builtPeers = process.env.CALLHOME_PEERS || join(homedir(), '.cache', 'callhome-bridge', 'peers');

const collectorConfig = new URL('../peers/collector.yaml', import.meta.url);

/** The Collector's binary is named after what it was built from, as install.sh does. */
function collectorBinary(): string {
	const digest = createHash('sha256').update(readFileSync(collectorConfig)).digest('hex');
	return join(builtPeers, `otelcol-${digest.slice(0, 12)}`);
}

// Debian keeps daemons in sbin, which is in root's PATH only.
const searched = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];

function isExecutable(file: string): boolean {
	try {
		accessSync(file, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

/** The binary of a real peer, such as `squid`, `promtool` or `otelcol` (the Collector); undefined when it is not installed. */
export function peer(name: string): string | undefined {
	const candidates = name === 'otelcol' ? [collectorBinary()] : searched.map(directory => join(directory, name));
	return candidates.find(isExecutable);
}

export function requiredPeer(name: string): string {
	const binary = peer(name);
	if (!binary) throw new Error(`${name} is not installed: run "npm run peers"`);
	return binary;
}
