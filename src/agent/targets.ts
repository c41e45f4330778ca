import {toError} from '../errors.ts';
import {sourceAttributes, sourceMetrics} from '../hardware-metrics.ts';
import type {TargetState} from '../source.ts';
import type {Store} from '../store/store.ts';
import {observe} from '../telemetry.ts';
import type {Log} from './log.ts';

/** How each source does with each of its targets: in the log, the activity log, a metric, and for `callhome status`. */
export type Targets = {
	readonly change: (state: TargetState) => void;
	list(): readonly TargetState[];
	observe(): void;
	close(): Promise<void>;
};

const levelOf = {working: 'info', absent: 'info', failing: 'warn', stopped: 'error'} as const;

/** So many targets are followed: beyond them a source is still at work, and only not shown one by one. */
const mostTargets = 50_000;

export function createTargets(store: Pick<Store, 'write'>, log: Log): Targets {
	const states = new Map<string, TargetState>();
	let writing: Promise<unknown> = Promise.resolve();

	function keep(state: TargetState): void {
		const level = levelOf[state.state];
		const text = textOf(state);
		log(level, text);
		const word = `source_${state.state}`;
		writing = store
			.write(records => records.addActivities([{at: Date.now(), level, word, text}]))
			.catch(error => log('warn', `the state of ${state.source} could not be kept: ${toError(error).message}`));
	}

	return {
		change(state) {
			const key = `${state.source}\n${state.target}`;
			const before = states.get(key);
			if (before?.state === state.state && before.reason === state.reason) return;
			if (before === undefined && states.size >= mostTargets) return;
			states.set(key, state);
			// The reason of a target that fails may change with every try: the change of its state is what is told.
			if (before?.state !== state.state) keep(state);
		},
		list: () => [...states.values()],
		observe() {
			observe(sourceMetrics.up, () =>
				[...states.values()]
					.filter(({state}) => state !== 'absent')
					.map(({source, target, state}) => ({
						value: state === 'working' ? 1 : 0,
						attributes: {[sourceAttributes.source]: source, [sourceAttributes.target]: target},
					})),
			);
		},
		async close() {
			await writing;
		},
	};
}

const said = {
	working: 'works',
	absent: 'does not apply',
	failing: 'fails',
	stopped: 'has stopped and waits for a person',
} as const;

const textOf = ({source, target, state, reason}: TargetState): string =>
	`${source}${target === '' ? '' : ` of ${target}`} ${said[state]}${reason === '' ? '' : `: ${reason}`}`;
