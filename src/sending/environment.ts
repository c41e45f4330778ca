import {getProxyForUrl} from 'proxy-from-env';
import {BridgeError} from '../errors.ts';
import {type Address, authority} from './address.ts';
import {readProxyUrl} from './proxy-url.ts';
import type {Candidates} from './way.ts';

/** In the order in which they count. As with curl an empty one is as good as none. */
const variables = ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'] as const;

/** The proxy that the environment of the bridge names for a destination. It is read anew each time. */
export function createEnvironmentCandidates(allowDirect: boolean, environment = process.env): Candidates {
	return async function candidates(destination) {
		const variable = variables.find(name => Boolean(environment[name]));
		if (variable === undefined) return directOr(allowDirect, unset());
		if (isExcepted(destination, environment)) return directOr(allowDirect, excepted(destination));
		const value = environment[variable] ?? '';
		const read = readProxyUrl(value.includes('://') ? value : `http://${value}`);
		if ('fault' in read) throw notConfigured(`The environment variable ${variable} ${read.fault}.`);
		return [read.proxy];
	};
}

function directOr(allowDirect: boolean, error: BridgeError) {
	if (!allowDirect) throw error;
	return ['direct'] as const;
}

/** NO_PROXY as the package knows it: names, `.suffix`, `*.suffix`, each with a port or without, and `*` alone. */
function isExcepted(destination: Address, environment: NodeJS.ProcessEnv): boolean {
	const url = `https://${authority(destination)}/`;
	return under(environment, () => getProxyForUrl(url)) === '';
}

/** The package reads `process.env` and nothing else. Nothing else runs in between. */
function under<T>(environment: NodeJS.ProcessEnv, ask: () => T): T {
	const usual = process.env;
	process.env = environment;
	try {
		return ask();
	} finally {
		process.env = usual;
	}
}

const notConfigured = (message: string) => new BridgeError('ERR_NOT_CONFIGURED', message, {hop: 'proxy'});

const unset = () =>
	notConfigured(
		'The environment names no proxy: set HTTPS_PROXY or ALL_PROXY where the bridge is started, or use proxy: {url: …}.',
	);

const excepted = ({host}: Address) =>
	new BridgeError(
		'ERR_NOT_CONFIGURED',
		`NO_PROXY excepts ${host} from the proxy of the environment: take it out there, or set allow_direct: true to go there directly.`,
	);
