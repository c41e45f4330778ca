import {networkInterfaces} from 'node:os';
import {BridgeError} from '../errors.ts';
import {type Address, authority} from './address.ts';
import {createLookup, type Lookup} from './names.ts';
import {printableAnswer, readPacAnswer} from './pac-answer.ts';
import type {PacConfig} from './pac-config.ts';
import {pacGivenUp} from './pac-fault.ts';
import {createPacSource, type PacSourceOptions, placeOf} from './pac-source.ts';
import {createPacThread} from './pac-thread.ts';
import type {Candidates} from './way.ts';

export type PacOptions = Pick<PacSourceOptions, 'family' | 'localAddress'> &
	Partial<Pick<PacSourceOptions, 'log' | 'now' | 'fetchMillis'>> & {
		/** Milliseconds that one question to the script may take. */
		readonly limitMillis?: number | undefined;
		/** For the names that the script asks for. */
		readonly lookup?: Lookup | undefined;
	};

/** What a PAC file says of each destination. It runs in a thread of its own, which is started when it is first asked. */
export function createPacCandidates(pac: PacConfig, options: PacOptions) {
	const {family, localAddress, log = () => {}, now = () => performance.now(), fetchMillis = 5000} = options;
	const {limitMillis = 3000, lookup = createLookup({allowLoopback: true})} = options;
	const source = createPacSource(pac, {family, localAddress, log, now, fetchMillis});
	const thread = createPacThread({place: placeOf(pac.source), limitMillis, lookup});
	const asked = new Map<string, {readonly script: string; readonly answer: Promise<string>}>();
	const credentials = {
		...(pac.username !== undefined && {username: pac.username}),
		...(pac.password !== undefined && {password: pac.password}),
	};

	/** Whoever asks the same while it is being answered hears the same. */
	function ask(script: string, destination: Address): Promise<string> {
		const url = urlOf(destination);
		const underWay = asked.get(url);
		if (underWay?.script === script) return underWay.answer;
		const address = localAddress() ?? addressOfMachine();
		const answer = thread.find({script, url, host: destination.host, address}).finally(() => {
			if (asked.get(url)?.answer === answer) asked.delete(url);
		});
		asked.set(url, {script, answer});
		return answer;
	}

	const candidates: Candidates = async (destination, signal) => {
		const asking = source.read().then(script => ask(script, destination));
		const answer = await unlessAborted(asking, signal, () => pacGivenUp(placeOf(pac.source), signal.reason));
		const {candidates: usable, passedOver} = readPacAnswer(answer, credentials, pac.allowDirect);
		if (usable.length > 0) return usable;
		throw nothingUsable(placeOf(pac.source), destination, answer, passedOver);
	};
	return {
		candidates,
		async close() {
			await Promise.all([source.close(), thread.close()]);
		},
	};
}

/** As browsers have it: without the path. Only updates of the configuration may go to port 80, and then over HTTP (S72). */
const urlOf = (destination: Address): string =>
	destination.port === 80 ? `http://${authority(destination)}/` : new URL(`https://${authority(destination)}/`).href;

/** The first one that others can reach. */
function addressOfMachine(): string {
	const all = Object.values(networkInterfaces()).flatMap(addresses => addresses ?? []);
	return all.find(({family, internal}) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}

function nothingUsable(place: string, {host}: Address, answer: string, passedOver: readonly string[]): BridgeError {
	const said = answer.trim() === '' ? 'nothing' : `"${printableAnswer(answer.trim(), 200)}"`;
	const message = `The PAC file ${place} says ${said} for ${host}, of which nothing can be used: ${passedOver.join(', ')}.`;
	return new BridgeError('ERR_NOT_CONFIGURED', message);
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal, explain: () => BridgeError): Promise<T> {
	work.catch(() => {}); // It may fail after it was given up.
	if (signal.aborted) throw explain();
	const {promise, reject} = Promise.withResolvers<never>();
	const stop = () => reject(explain());
	signal.addEventListener('abort', stop, {once: true});
	return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', stop));
}
