import type {Random} from './random.ts';

/** One log record of the load. Its uid is its own: sent again, it is the same event. */
export type LoadRecord = {
	readonly uid: string;
	readonly fault: Fault;
	readonly state: 'failed' | 'ok';
	/** OTLP severity number. */
	readonly severity: number;
};

/** What may have one case and no more. The component's name is in the title of the case. */
export type Fault = {
	readonly serialNumber: string;
	readonly component: string;
	/** The system has so many faults that most of them fold into one problem. */
	readonly inStorm: boolean;
};

/** What happens to one component, in order: each record is sent when the one before has been acknowledged. */
export type Story = {readonly fault: Fault; readonly records: readonly LoadRecord[]};

/** New problems of one system after which the bridge sees a storm. A calm system has fewer faults than that. */
export const stormThreshold = 20;
const faultsOfCalmSystem = 12;
const faultsOfStormySystem = 60;

const failed = {state: 'failed', severity: 17} as const;
const worse = {state: 'failed', severity: 21} as const;
const recovered = {state: 'ok', severity: 9} as const;

type Step = Pick<LoadRecord, 'state' | 'severity'>;
type Plots = readonly [readonly Step[], ...(readonly Step[])[]];

const calmPlots: Plots = [
	[failed],
	[failed, failed],
	[failed, worse],
	[failed, failed, recovered],
	[failed, recovered],
	[failed, recovered, failed],
	[failed, recovered, failed, recovered],
];
/** A storm's problem does not recover, so a recovery in it is no news and would not be kept. */
const stormyPlots: Plots = [[failed], [failed, failed]];

/** Tells one story after another, system by system, with a stormy system among the calm ones. */
export function createStories(random: Random) {
	let systems = 0;
	let components = 0;
	const open = {calm: {serialNumber: '', left: 0}, stormy: {serialNumber: '', left: 0}};

	function systemFor(inStorm: boolean): string {
		const system = inStorm ? open.stormy : open.calm;
		if (system.left === 0) {
			system.serialNumber = `${inStorm ? 'W' : 'J'}${String(++systems).padStart(5, '0')}`;
			system.left = inStorm ? faultsOfStormySystem : faultsOfCalmSystem;
		}
		system.left--;
		return system.serialNumber;
	}

	return function nextStory(): Story {
		const inStorm = random.chance(0.25);
		const component = `C${String(++components).padStart(5, '0')}`;
		const fault = {serialNumber: systemFor(inStorm), component, inStorm};
		const steps = random.pick(inStorm ? stormyPlots : calmPlots);
		return {fault, records: steps.map((step, index) => ({uid: `${component}-${index}`, fault, ...step}))};
	};
}
export type NextStory = ReturnType<typeof createStories>;

export const titleOf = ({serialNumber, component}: Fault): string => `Component ${component} of ${serialNumber} has failed`;

/** The component that a case's title names; undefined for the case of a storm. */
export const componentIn = (title: string): string | undefined => /^Component (C\d+) of /.exec(title)?.[1];
