import type {TLSSocket} from 'node:tls';
import type {StageResult} from '../attempt.ts';
import {BridgeError, isBridgeError, neverLeft, toError} from '../errors.ts';
import type {Reply} from '../exporter.ts';
import {type Address, authority} from './address.ts';
import {exchange} from './exchange.ts';
import {openRoute, type Route} from './route.ts';
import type {RouteUse} from './routes.ts';
import type {Candidate, Candidates} from './way.ts';

/** A question that carries nothing of the operator's, to see whether the right service answers. */
export type Probe = {
	readonly method: 'POST' | 'GET' | 'HEAD';
	readonly path: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
	/** What the reply says of the service; an error when it is not the one that was looked for. */
	readonly judge: (reply: Reply) => {readonly detail?: string; readonly warning?: string; readonly error?: BridgeError};
};

/** Where a walk leads. */
export type WalkTarget = {
	readonly host: string;
	readonly port: number;
	/** Goes to this address instead of asking for the name. TLS still verifies the name. */
	readonly address?: string;
	/** Without it the walk ends after TLS. */
	readonly probe?: Probe;
};

/** Walks one connection to a target, stage by stage, and stops at the first that fails. Never rejects. */
export type Walk = (target: WalkTarget, signal: AbortSignal) => Promise<readonly StageResult[]>;

export type WalkParts = {
	readonly name: string;
	readonly candidates: Candidates;
	readonly routeFor: (candidate: Candidate, destination: Address, use?: RouteUse) => Route;
	readonly maxReplySize: number;
	/** Milliseconds that the answer to a question may take. */
	readonly replyMillis: number;
	/** Hears how each stage of a walk by name went: an address says nothing of what is sent by name. */
	readonly onStage?: ((destination: Address, result: StageResult) => void) | undefined;
	readonly now?: () => number;
};

export function createWalk({
	name,
	candidates,
	routeFor,
	maxReplySize,
	replyMillis,
	onStage: told,
	now = Date.now,
}: WalkParts): Walk {
	/** What fails before anything is dialled, or between two ways: a PAC script that does not end takes its time. */
	const before = (startedAt: number, error: BridgeError): StageResult => {
		return {stage: 'connection', peer: name, startedAt, duration: Math.max(0, now() - startedAt), error};
	};

	async function openFirst(target: WalkTarget, use: RouteUse, signal: AbortSignal): Promise<TLSSocket> {
		const ways = await candidates(target, signal);
		for (const [index, candidate] of ways.entries()) {
			try {
				return await openRoute(target, routeFor(candidate, target, use), signal);
			} catch (error) {
				if (index === ways.length - 1 || !isBridgeError(error, ...neverLeft)) throw error;
			}
		}
		throw new BridgeError('ERR_NOT_CONFIGURED', `${name} leads nowhere.`, {hop: 'proxy'});
	}

	return async function walk(target, signal) {
		const results: StageResult[] = [];
		const {host, port, address, probe} = target;
		const begun = now();
		const onStage = (result: StageResult) => {
			results.push(result);
			const isGivenUp = signal.aborted && result.error !== undefined;
			if (address === undefined && !isGivenUp) told?.({host, port}, result);
		};
		try {
			const socket = await openFirst(target, {onStage, ...(address !== undefined && {address})}, signal);
			await question(socket, target, probe, onStage, signal, {maxReplySize, replyMillis, now});
		} catch (thrown) {
			// Every stage has said its failure; what comes before the first one has not.
			if (!results.at(-1)?.error) onStage(before(results.length === 0 ? begun : now(), toBridgeError(thrown)));
		}
		return results;
	};
}

async function question(
	socket: TLSSocket,
	{host, port}: WalkTarget,
	probe: Probe | undefined,
	onStage: (result: StageResult) => void,
	signal: AbortSignal,
	{maxReplySize, replyMillis, now}: Required<Pick<WalkParts, 'maxReplySize' | 'replyMillis' | 'now'>>,
): Promise<void> {
	if (!probe) return void socket.destroy();
	const {method, path, headers, body, judge} = probe;
	const begun = {stage: 'http' as const, peer: authority({host, port}), startedAt: now()};
	const since = () => Math.max(0, now() - begun.startedAt);
	const url = new URL(`https://${begun.peer}${path}`);
	const limit = AbortSignal.any([signal, AbortSignal.timeout(replyMillis)]);
	try {
		const reply = await exchange(socket, {url, method, headers, body}, maxReplySize, limit);
		onStage({...begun, duration: since(), detail: `HTTP status ${reply.statusCode}`});
		const judged = judge({...reply, body: reply.body.toString('utf8')});
		onStage({...begun, stage: 'application', duration: 0, ...judged});
	} catch (thrown) {
		onStage({...begun, duration: since(), error: toBridgeError(thrown)});
	}
}

const toBridgeError = (thrown: unknown): BridgeError =>
	isBridgeError(thrown) ? thrown : new BridgeError('ERR_CONNECTION_REFUSED', toError(thrown).message, {cause: thrown});
