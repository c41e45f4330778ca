import type {Stage} from '../../attempt.ts';
import type {BridgeError, BridgeErrorCode} from '../../errors.ts';
import type {Finding, Target} from './diagnosis.ts';

/** What an error shows of what happened, beside its code. */
export type Sign = {
	readonly code: BridgeErrorCode;
	/** The code of the system's or OpenSSL's error below it, such as ECONNREFUSED; empty when there is none. */
	readonly system: string;
	/** The HTTP status that it names. */
	readonly status: number | undefined;
	/** The proxy itself is at fault. */
	readonly atProxy: boolean;
	readonly message: string;
};

/** Where it happened. */
export type Place = Pick<Target, 'host' | 'port' | 'addresses'> & {
	readonly connection: string;
	readonly kind: string;
	/** Whom the stage talked to. */
	readonly peer: string;
	/** Whether that was the destination itself, and not a proxy on the way to it. */
	readonly isDestination: boolean;
	/** The way leads through a proxy. */
	readonly isProxied: boolean;
	/** Unix milliseconds. */
	readonly now: number;
};

/** What is said of an error at a stage, when it is this one. The first that fits counts. */
export type Rule = {
	readonly stage: Stage;
	readonly codes: readonly BridgeErrorCode[];
	readonly when?: (sign: Sign, place: Place) => boolean;
	readonly say: (place: Place, sign: Sign) => Finding;
};

export function signOf(error: BridgeError): Sign {
	const {code, hop, message} = error;
	const status = /\bstatus (\d{3})\b/.exec(message)?.[1];
	return {
		code,
		system: systemCodeOf(error.cause),
		status: status === undefined ? undefined : Number(status),
		atProxy: hop === 'proxy',
		message,
	};
}

const deepest = 6;

function systemCodeOf(cause: unknown): string {
	let below = cause;
	for (let depth = 0; depth < deepest && below instanceof Error; depth++) {
		if ('code' in below && typeof below.code === 'string') return below.code;
		below = below.cause;
	}
	return '';
}
