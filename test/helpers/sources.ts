import type {ExecutionContext} from 'ava';
import type {Component} from '../../src/component.ts';
import type {Attributes, Decision, HardwareEvent} from '../../src/event.ts';
import type {Reading, SourceParts, TargetState} from '../../src/source.ts';

/** What a source of hardware events gives, kept where a test finds it. */
export type Watched = {
	readonly parts: SourceParts;
	readonly events: HardwareEvent[];
	readonly readings: {readonly source: string; readonly resource: Attributes; readonly readings: readonly Reading[]}[];
	readonly targets: TargetState[];
	readonly marks: Map<string, string>;
	readonly said: string[];
};

/** A bridge in the place of the real one: its store takes everything, or does what `consume` does. */
export function watchSource(overrides: Partial<SourceParts> = {}): Watched {
	const watched = {
		events: [] as HardwareEvent[],
		readings: [] as Watched['readings'],
		targets: [] as TargetState[],
		marks: new Map<string, string>(),
		said: [] as string[],
	};
	const parts: SourceParts = {
		async consume(events) {
			const decisions = (await overrides.consume?.(events)) ?? events.map((): Decision => 'first');
			watched.events.push(...events);
			return decisions;
		},
		measure: (source, resource, readings) => watched.readings.push({source, resource, readings}),
		marks: {
			read: async key => watched.marks.get(key),
			write: async (key, value) => void watched.marks.set(key, value),
		},
		onTarget: state => watched.targets.push(state),
		log: (level, text) => watched.said.push(`${level} ${text}`),
		...(({consume: _, ...rest}) => rest)(overrides),
	};
	return {parts, ...watched};
}

/** Started now, ended when the test ends. */
export async function started<Source extends Component>(t: ExecutionContext, source: Source): Promise<Source> {
	t.teardown(() => source.shutdown());
	await source.start();
	return source;
}
