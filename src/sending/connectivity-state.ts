import {z} from 'zod';

const path = z.object({
	connection: z.string(),
	/** HOST:PORT. */
	destination: z.string(),
	state: z.enum(['connected', 'degraded', 'disconnected', 'unknown']),
	since: z.number().optional(),
	lastSuccessAt: z.number().optional(),
	errorType: z.string().optional(),
	reason: z.string().optional(),
});

const stateSchema = z.object({
	/** Each connection to each server, in the order of the configuration. */
	paths: z.array(path).readonly(),
	/** Since when no connection leads to the destination. */
	exhaustedSince: z.number().optional(),
	/** Missing while no heartbeats are sent. */
	heartbeatOverdue: z.boolean().optional(),
});

/** What the running bridge knows of its ways out, for whoever asks from outside of its process. Times in Unix milliseconds. */
export type ConnectivityState = z.infer<typeof stateSchema>;
export type PathState = z.infer<typeof path>;

export type StateRecords = {
	readSetting(name: string): Promise<string | undefined>;
	writeSetting(name: string, value: string): Promise<void>;
};

const setting = 'connectivity.state';

/** As it is stored: nothing but what a reader is told, so that two states that say the same are the same text. */
export const stateText = (state: ConnectivityState): string => JSON.stringify(stateSchema.parse(state));

export const writeState = (records: StateRecords, text: string): Promise<void> => records.writeSetting(setting, text);

/** Undefined when nothing is stored, or nothing that can be read: a store may have been damaged. True only while the bridge runs. */
export async function readState(records: Pick<StateRecords, 'readSetting'>): Promise<ConnectivityState | undefined> {
	const text = await records.readSetting(setting);
	if (text === undefined) return undefined;
	try {
		return stateSchema.parse(JSON.parse(text));
	} catch {
		return undefined;
	}
}
