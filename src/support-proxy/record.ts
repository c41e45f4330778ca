import type {Activity} from '../activity.ts';
import type {Target} from './authority.ts';
import type {Decision} from './refusal.ts';
import type {Tunnelled} from './tunnels.ts';

/** What became of one request. */
export type Entry = {
	readonly decision: Decision;
	readonly client: string;
	readonly user?: string | undefined;
	readonly target?: Target | undefined;
	/** The rule that refused it. */
	readonly text?: string;
	readonly tunnelled?: Tunnelled;
};

export type RecordOptions = {
	readonly write: (activities: readonly Activity[]) => void;
	readonly now: () => number;
	/** Repetitions are counted for so long. */
	readonly periodMillis?: number;
	/** So many different things are told by themselves in one period, and the rest as a number. */
	readonly mostKinds?: number;
};

type Repeated = {readonly entry: Entry; times: number; bytes: number};

/**
The activity log of the proxy: the first of each kind at once, what repeats it as one line at the end of the period. A client
that asks a thousand times a second fills no store with it.
*/
export function createRecord({write, now, periodMillis = 300_000, mostKinds = 40}: RecordOptions) {
	const kinds = new Map<string, Repeated>();
	let others = 0;

	const keyOf = ({decision, client, user, target}: Entry) =>
		[decision, client, user ?? '', target?.host ?? '', target?.port ?? ''].join('\n');

	function add(entry: Entry): void {
		const kind = kinds.get(keyOf(entry));
		if (kind) {
			kind.times++;
			kind.bytes += bytesOf(entry);
			return;
		}
		if (kinds.size >= mostKinds) {
			others++;
			return;
		}
		kinds.set(keyOf(entry), {entry, times: 0, bytes: 0});
		write([activityOf(entry, now(), detailOf(entry))]);
	}

	function flush(): void {
		const repeated = [...kinds.values()].filter(({times}) => times > 0);
		const lines = repeated.map(({entry, times, bytes}) =>
			activityOf(entry, now(), `${times} more of it${bytes > 0 ? `, ${bytes} bytes` : ''}`),
		);
		if (others > 0) {
			const text = `support proxy: ${others} further requests, which are not told one by one: the metric callhome_support_proxy_requests_total counts them all`;
			lines.push({at: now(), level: 'warn', word: 'support_proxy', text});
		}
		kinds.clear();
		others = 0;
		if (lines.length > 0) write(lines);
	}

	const timer = setInterval(flush, periodMillis).unref();
	return {
		add,
		/** Writes what is still counted. */
		close(): void {
			clearInterval(timer);
			flush();
		},
	};
}

const bytesOf = ({tunnelled}: Entry) => (tunnelled ? tunnelled.transmitted + tunnelled.received : 0);

const activityOf = ({decision, client, user, target}: Entry, at: number, detail: string): Activity => {
	const who = `${client || 'a client that is gone'}${user === undefined ? '' : ` (${user})`}`;
	const where = target ? ` -> ${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}` : '';
	const isAllowed = decision === 'allowed';
	return {
		at,
		level: isAllowed ? 'info' : 'warn',
		word: isAllowed ? 'support_proxy_passed' : 'support_proxy_refused',
		text: `support proxy: ${who}${where}: ${decision}: ${detail}`,
	};
};

const detailOf = ({text = '', tunnelled}: Entry): string => {
	if (!tunnelled) return text;
	const {reason, duration, transmitted, received} = tunnelled;
	return `${transmitted} bytes there and ${received} back in ${(duration / 1000).toFixed(1)} s, ended: ${reason}`;
};
