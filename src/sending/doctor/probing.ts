import type {Probe} from '../walk.ts';
import type {ExaminedStage, Probes, Target} from './diagnosis.ts';

/** Sees whether HTTP is answered at all. What the answer is says nothing about the service. */
const knock = ({path}: Target): Probe => ({
	method: 'HEAD',
	path: path.startsWith('/') ? '/' : `/${path}`,
	headers: {accept: '*/*'},
	body: '',
	judge: () => ({}),
});

/** A stage that is not walked, and why. */
export type Unwalked = Pick<ExaminedStage, 'stage'> & {readonly why: string};

/** What is asked of a server, and what stays unasked after it. */
export function createProbing(probes: Probes | 'none') {
	return function probing(target: Target): {readonly probe: Probe | undefined; readonly rest: readonly Unwalked[]} {
		if (probes === 'none') return {probe: undefined, rest: notAsked};
		const probe = probes(target);
		return probe ? {probe, rest: []} : {probe: knock(target), rest: noQuestion};
	};
}

const notAsked: readonly Unwalked[] = (['http', 'application'] as const).map(stage => ({
	stage,
	why: 'not asked, as was wished',
}));
const noQuestion: readonly Unwalked[] = [{stage: 'application', why: 'no question is known that leaves nothing behind'}];
