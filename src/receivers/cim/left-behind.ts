import {z} from 'zod';
import type {SourceParts} from '../../source.ts';
import type {CimSystem} from './config.ts';

const mark = 'cim/subscribed';
/** A module that is gone for good is not spoken of for ever. */
const forgottenAfterMillis = 30 * 86_400_000;

/** Modules with a subscription of this bridge; with a time, since when the configuration no longer names them. */
const markSchema = z.record(z.string(), z.object({missingSince: z.number().optional()}));
type Subscribed = z.output<typeof markSchema>;

const nameOf = ({host, port}: CimSystem): string => `${host.toLowerCase()}:${port}`;

/**
A module that is taken out of the configuration keeps sending, and nobody has its password any more: so the bridge remembers
where its subscriptions are, and says what is left behind.
*/
export function createLeftBehind(systems: readonly CimSystem[], {marks, onTarget, now = Date.now}: SourceParts) {
	let subscribed: Subscribed | undefined;
	const known = async (): Promise<Subscribed> => {
		subscribed ??= readMark(await marks.read(mark));
		return subscribed;
	};

	async function write(next: Subscribed): Promise<void> {
		subscribed = next;
		await marks.write(mark, JSON.stringify(next));
	}

	return {
		async start(): Promise<void> {
			const text = await marks.read(mark);
			const before = readMark(text);
			const configured = new Set(systems.map(nameOf));
			const next: Subscribed = {};
			for (const [name, {missingSince = now()}] of Object.entries(before)) {
				if (configured.has(name)) next[name] = {};
				else if (Math.abs(now() - missingSince) < forgottenAfterMillis) next[name] = {missingSince};
			}
			if (text !== undefined && JSON.stringify(next) !== text) await write(next);
			subscribed = next;
			const reason =
				'it is no longer among receivers.cim.systems, and still has the subscription of this bridge: name it once more with subscribe: false, until that is removed';
			for (const [target, {missingSince}] of Object.entries(next))
				if (missingSince !== undefined) onTarget({source: 'cim', target, state: 'stopped', reason});
		},
		async subscribed(system: CimSystem): Promise<void> {
			const before = await known();
			if (!Object.hasOwn(before, nameOf(system))) await write({...before, [nameOf(system)]: {}});
		},
		async removed(system: CimSystem): Promise<void> {
			const {[nameOf(system)]: former, ...rest} = await known();
			if (former) await write(rest);
		},
	};
}

function readMark(text: string | undefined): Subscribed {
	try {
		return markSchema.parse(JSON.parse(text ?? ''));
	} catch {
		return {};
	}
}
