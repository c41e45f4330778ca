import {join} from 'node:path';
import {z} from 'zod';
import type {Marks, Reading} from '../../source.ts';
import {errorReading, type Finding, type NamedPart, namedPart, statusReadings} from './alert.ts';
import type {HostReceiverConfig, Roots} from './config.ts';
import {readMark, writeMark} from './marks.ts';
import type {HostSource, Look} from './runner.ts';
import {list, readNumber, readText} from './tree.ts';

/** The error counters of one memory module, or of what a controller could not attribute to one. */
type Counters = {
	readonly part: NamedPart;
	readonly place: string | undefined;
	readonly corrected: number | undefined;
	readonly uncorrected: number | undefined;
};

const counted = z.object({
	corrected: z.number(),
	uncorrected: z.number(),
	/** Corrected errors within the window that began at `since`. */
	grown: z.number(),
	since: z.number(),
	/** When the failure was predicted last; 0 for never. */
	predicted: z.number(),
});
export type Counted = z.output<typeof counted>;
const markSchema = z.object({boot: z.string(), parts: z.record(z.string(), counted)});

const mostModules = 4096;

/** Counters of memory errors that the kernel's EDAC drivers show. They begin again at 0 with each boot and each load of a driver. */
export function edacSource(config: HostReceiverConfig['edac'], roots: Roots, marks: Marks, now: () => number): HostSource {
	const top = join(roots.sys, 'devices/system/edac/mc');
	const key = 'host/edac';

	async function look(): Promise<Look> {
		const controllers = ((await list(top)) ?? []).filter(name => /^mc\d+$/.test(name));
		if (controllers.length === 0)
			return {status: 'absent', reason: `${top} shows no memory controller: no EDAC driver is loaded, or the memory has no ECC`};
		const found = (await Promise.all(controllers.map(name => readController(top, name)))).flat();
		const modules = found.filter(({corrected, uncorrected}) => (corrected ?? uncorrected) !== undefined).slice(0, mostModules);
		if (modules.length === 0)
			return {status: 'failing', reason: `the counters in ${top} cannot be read: they need to be readable for this user`};
		const boot = (await readText(roots.proc, 'sys/kernel/random/boot_id')) ?? '';
		const mark = await readMark(marks, key, markSchema);
		const known = mark?.parts ?? {};
		const isNewBoot = mark !== undefined && mark.boot !== boot;
		const counts = modules.map(module => count(module, known[module.part.id], {...config, now: now(), isNewBoot, boot}));
		const parts = Object.fromEntries(counts.map(({part, counted}) => [part.id, counted]));
		return {
			status: 'read',
			findings: counts.flatMap(({findings}) => findings),
			readings: counts.flatMap(readingsOf),
			settle: () => writeMark(marks, key, {boot, parts}),
		};
	}
	return {name: 'edac', intervalMillis: config.interval, look};
}

async function readController(top: string, controller: string): Promise<readonly Counters[]> {
	const entries = (await list(top, controller)) ?? [];
	const places = entries.filter(name => /^(dimm|rank)\d+$/.test(name));
	const modules = places.map(async (name): Promise<Counters> => {
		const at = join(top, controller, name);
		const label = (await readText(at, 'dimm_label')) ?? '';
		return {
			part: namedPart(label === '' ? `${controller} ${name}` : label, 'memory'),
			place: await readText(at, 'dimm_location'),
			corrected: await readNumber(at, 'dimm_ce_count'),
			uncorrected: await readNumber(at, 'dimm_ue_count'),
		};
	});
	const at = join(top, controller);
	// Without modules to ask, all that the controller counts; with them, what it could not attribute to any.
	const prefix = places.length === 0 ? '' : '_noinfo';
	const whole: Counters = {
		part: {type: 'memory', id: `memory/${controller}`, name: `memory controller ${controller}`},
		place: undefined,
		corrected: await readNumber(at, `ce${prefix}_count`),
		uncorrected: await readNumber(at, `ue${prefix}_count`),
	};
	return [...(await Promise.all(modules)), whole];
}

export type Rule = {
	readonly corrected_threshold: number;
	readonly window: number;
	readonly now: number;
	readonly isNewBoot: boolean;
	readonly boot: string;
};

/** Errors since the counter was read last. A counter that went back began again. */
const growth = (value: number, before: number, isNewBoot: boolean): number =>
	isNewBoot || value < before ? value : value - before;

/**
What the counters say since they were read last. Uncorrected errors count from the boot on; of the corrected ones it is not
known when they came, so the first look is only what the later ones are measured from.
*/
export function count(module: Counters, known: Counted | undefined, rule: Rule) {
	const {part} = module;
	const {now, window, corrected_threshold: threshold, isNewBoot, boot} = rule;
	const corrected = Math.max(0, module.corrected ?? known?.corrected ?? 0);
	const uncorrected = Math.max(0, module.uncorrected ?? known?.uncorrected ?? 0);
	const before = known ?? {corrected: isNewBoot ? 0 : corrected, uncorrected: 0, grown: 0, since: now, predicted: 0};
	const failed = growth(uncorrected, before.uncorrected, isNewBoot);
	const inWindow = now - before.since < window && now >= before.since;
	const grown = (inWindow ? before.grown : 0) + growth(corrected, before.corrected, isNewBoot);
	const predicts = grown >= threshold;
	const attributes = {'callhome.host.edac.location': module.place, 'callhome.host.edac.uncorrected': failed || undefined};
	const findings: Finding[] = [];
	if (failed > 0)
		findings.push({
			part,
			state: 'failed',
			errorType: 'uncorrected',
			message: `${part.name}: ${failed} uncorrected memory ${failed === 1 ? 'error' : 'errors'}`,
			identity: [part.id, 'uncorrected', uncorrected, boot],
			attributes,
		});
	if (predicts)
		findings.push({
			part,
			state: 'predicted_failure',
			errorType: 'corrected_limit',
			message: `${part.name}: ${grown} corrected memory errors within ${Math.round(window / 3_600_000)} h`,
			identity: [part.id, 'corrected', corrected, boot],
			attributes: {...attributes, 'callhome.host.edac.corrected': grown},
		});
	const counted: Counted = {
		corrected,
		uncorrected,
		// A prediction begins the next window: the next one needs as many errors again.
		grown: predicts ? 0 : grown,
		since: predicts || !inWindow ? now : before.since,
		predicted: predicts ? now : before.predicted,
	};
	return {part, counted, findings, window, now};
}

function readingsOf({part, counted, window, now}: ReturnType<typeof count>): readonly Reading[] {
	const isPredicted = counted.predicted > 0 && now - counted.predicted < window;
	const state = counted.uncorrected > 0 ? 'failed' : isPredicted ? 'predicted_failure' : 'ok';
	return [
		...errorReading(part, 'corrected', counted.corrected),
		...errorReading(part, 'uncorrected', counted.uncorrected),
		...statusReadings(part, state),
	];
}
