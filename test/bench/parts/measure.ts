import {parseArgs} from 'node:util';
import type {ExecutionContext} from 'ava';
import {type Figure, figureLines, machineLine} from './figures.ts';

export type Bench = {
	/** What the test helpers want of a test: they hand over what is to be undone at its end. */
	readonly t: ExecutionContext;
	/** A short run that shows whether all works, not how fast it is. */
	readonly quick: boolean;
	/** What is going on, for whoever waits. */
	say(text: string): void;
};

/** Runs one benchmark, prints its figures, and hands them to the process that started this one. */
export async function measure(name: string, run: (bench: Bench) => Promise<readonly Figure[]>): Promise<void> {
	const {values} = parseArgs({options: {quick: {type: 'boolean', default: false}}});
	const undo: (() => unknown)[] = [];
	const undoAll = async () => {
		for (let last = undo.pop(); last; last = undo.pop()) await last();
	};
	const interrupted = () => void undoAll().finally(() => process.exit(1));
	for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, interrupted);

	const t = {teardown: (fn: () => unknown) => void undo.push(fn)} as ExecutionContext;
	const say = (text: string) => console.log(`${name}: ${text}`);
	try {
		const figures = await run({t, quick: values.quick, say});
		if (process.send) process.send(figures);
		else console.log([machineLine(), ...figureLines(figures)].join('\n'));
	} finally {
		await undoAll();
	}
	process.exit();
}
