import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {Secret} from '../../src/secret.ts';
import type {Lookup} from '../../src/sending/names.ts';
import {createPacCandidates, type PacOptions} from '../../src/sending/pac.ts';
import type {PacConfig} from '../../src/sending/pac-config.ts';
import type {Candidate} from '../../src/sending/way.ts';
import {temporaryDirectory} from './listen.ts';

export const pacPassword = 'Zx9-pac-password';

/** A script that answers with the text. */
export const answering = (text: string) => `function FindProxyForURL(url, host) { return ${JSON.stringify(text)}; }`;

/** `yes.example` when the expression holds, `no.example` otherwise. */
export const deciding = (expression: string) =>
	`function FindProxyForURL(url, host) { return (${expression}) ? "PROXY yes.example:1" : "PROXY no.example:1"; }`;

/** HOST:PORT of each proxy, with its protocol before it. */
export const written = (candidates: readonly Candidate[]) =>
	candidates.map(candidate => (candidate === 'direct' ? candidate : `${candidate.protocol} ${candidate.host}:${candidate.port}`));

export type PacSetting = Partial<PacOptions> & Partial<PacConfig>;

/** What a PAC file amounts to. It asks nobody on the network, but the server of its URL. */
export function openPac(t: ExecutionContext, {source = {file: '/nowhere'}, ...setting}: PacSetting = {}) {
	const said: string[] = [];
	const {allowDirect = false, username, password, caFile, ...options} = setting;
	const pac: PacConfig = {
		source,
		allowDirect,
		...(caFile !== undefined && {caFile}),
		...(username !== undefined && {username, password: password ?? new Secret(pacPassword)}),
	};
	const {candidates, close} = createPacCandidates(pac, {
		family: 'ipv4',
		localAddress: () => '192.0.2.99',
		lookup: nobody,
		log: (_level, text) => void said.push(text),
		// Generous: this bounds a hanging test. A test of the limits themselves sets its own.
		limitMillis: 60_000,
		fetchMillis: 60_000,
		...options,
	});
	t.teardown(close);
	const ask = async (host = 'esupport.ibm.com', port = 443, signal = AbortSignal.timeout(110_000)) =>
		candidates({host, port}, signal);
	return {ask, close, said};
}

/** The same from a file, whose content the test replaces. */
export async function openPacFile(t: ExecutionContext, script: string, setting: PacSetting = {}) {
	const file = join(await temporaryDirectory(t), 'proxy.pac');
	const write = (content: string) => writeFileSync(file, content);
	write(script);
	return {...openPac(t, {source: {file}, ...setting}), file, write};
}

const nobody: Lookup = async host => {
	throw new Error(`${host} is not known`);
};
