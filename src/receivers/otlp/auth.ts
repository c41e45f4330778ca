import {hash, timingSafeEqual} from 'node:crypto';
import type {Secret} from '../../secret.ts';

const digest = (bytes: Buffer): Buffer => hash('sha256', bytes, 'buffer');

/**
Whether an Authorization header carries the token. Digests are compared, so that neither the token's length nor how much
of a guess was right shows in the time it takes.
*/
export function createBearerCheck(token: Secret) {
	const expected = digest(Buffer.from(token.reveal()));
	return function isBearer(authorization = ''): boolean {
		const presented = /^bearer +(\S+)$/i.exec(authorization)?.[1] ?? '';
		return timingSafeEqual(digest(Buffer.from(presented, 'latin1')), expected); // Node reads headers as latin1.
	};
}
