import type {Problem} from '../problem.ts';

/** What an IMM's Service Advisor calls the state of a call. */
export type ModuleWord = 'PENDING' | 'SUCCESS' | 'DISABLED' | 'NOT SENT' | 'FAILED';

const disabling: readonly string[] = ['excluded', 'maintenance', 'no_consent', 'no_credentials'];

/** A problem's state in the management module's own word, for people who know it from there. */
export function moduleWordOf({state, reason, acceptedAt}: Problem): ModuleWord {
	if (state === 'rejected') return 'FAILED';
	if (state === 'accepted' || state === 'open') return 'SUCCESS';
	if (state === 'closed') return acceptedAt === undefined ? 'NOT SENT' : 'SUCCESS';
	if (state === 'queued' || state === 'identified' || reason === 'unanswered') return 'PENDING';
	return disabling.includes(reason) ? 'DISABLED' : 'NOT SENT';
}
