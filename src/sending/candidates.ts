import {BridgeError} from '../errors.ts';
import type {ConnectionConfig} from './connections-config.ts';
import {createEnvironmentCandidates} from './environment.ts';
import {createPacCandidates, type PacOptions} from './pac.ts';
import type {Candidates} from './way.ts';

export type CandidateOptions = Pick<PacOptions, 'log' | 'now' | 'limitMillis' | 'fetchMillis' | 'lookup'> & {
	readonly environment?: NodeJS.ProcessEnv;
	/** The address that the connection leaves from: an interface has to be asked for its own. */
	readonly localAddress?: () => string | undefined;
};

/** What a connection amounts to for each destination. `close` ends what it started, and may be called at any time. */
export function createCandidates(
	config: ConnectionConfig,
	options: CandidateOptions = {},
): {candidates: Candidates; close(): Promise<void>} {
	const {way, family} = config;
	const {environment, localAddress = () => config.localAddress, ...rest} = options;
	if (way.kind === 'pac') return createPacCandidates(way, {...rest, family, localAddress});
	const candidates = way.kind === 'from_environment' ? createEnvironmentCandidates(way.allowDirect, environment) : always(config);
	return {candidates, async close() {}};
}

function always({way, name}: ConnectionConfig): Candidates {
	const candidate = way.kind === 'proxy' ? way.proxy : ('direct' as const);
	return async () => {
		if (candidate) return [candidate];
		const message = `The connection ${name} is not configured: the URL of its proxy is empty.`;
		throw new BridgeError('ERR_NOT_CONFIGURED', message, {hop: 'proxy'});
	};
}
