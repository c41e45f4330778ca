import {createHash} from 'node:crypto';
import {accessSync, constants, readFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {delimiter, join} from 'node:path';

/** Where test/peers/install.sh keeps what it builds: outside the checkout, so that a fresh one needs no second build. */
const builtPeers = process.env.CALLHOME_PEERS || join(homedir(), '.cache', 'callhome-bridge', 'peers');

const digestOf = (file: string) =>
	createHash('sha256')
		.update(readFileSync(new URL(`../peers/${file}`, import.meta.url)))
		.digest('hex')
		.slice(0, 12);

/** What is built is named after what it was built from, as install.sh does. */
const collectorBinary = () => join(builtPeers, `otelcol-${digestOf('collector.yaml')}`);

const versionOf = (program: string) => readFileSync(new URL(`../peers/${program}.version`, import.meta.url), 'utf8').trim();

/** A newer Prometheus than Debian's, as `prometheus3` and `promtool3`. */
const newerPrometheus = (name: string) => join(builtPeers, `prometheus-${versionOf('prometheus')}`, name.slice(0, -1));

const dashboardLinter = () => join(builtPeers, `dashboard-linter-${versionOf('dashboard-linter')}`);

/** The directory of the Python environment with the packages of requirements.txt. */
const pythonBinaries = () => join(builtPeers, `python-${digestOf('requirements.txt')}`, 'bin');

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

function candidatesOf(name: string): readonly string[] {
	if (name === 'otelcol') return [collectorBinary()];
	if (name === 'prometheus3' || name === 'promtool3') return [newerPrometheus(name)];
	if (name === 'dashboard-linter') return [dashboardLinter()];
	const directories = [pythonBinaries(), ...(name === 'python' ? [] : searched)];
	return directories.map(directory => join(directory, name));
}

/**
The binary of a real peer, such as `squid`, `promtool`, `otelcol` (the Collector), `prometheus3` (a newer one) or `python` (with
the packages of the peers); undefined when it is not installed.
*/
export function peer(name: string): string | undefined {
	return candidatesOf(name).find(isExecutable);
}

export function requiredPeer(name: string): string {
	const binary = peer(name);
	if (!binary) throw new Error(`${name} is not installed: run "npm run peers"`);
	return binary;
}
