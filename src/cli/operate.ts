import {giveOrder} from '../agent/control.ts';
import {createOperate, type Operation, type ProblemOrder} from '../agent/operate.ts';
import {policyWithoutBackend} from '../agent/policy.ts';
import type {Config} from '../config.ts';
import {isBridgeError} from '../errors.ts';
import {isLocked, lockDirectory} from '../store/lock.ts';
import {openStore, openStoreForReading, type Store} from '../store/store.ts';
import type {Output} from './print.ts';
import {findProblem, problemJson} from './problem.ts';

/** ESA's exit codes: 38 a problem could not be deleted, 39 it could not be updated. */
const refusedCodes: Record<Operation, number> = {close: 38, hold: 39, release: 39, refresh: 39};

const done: Record<Operation, string> = {
	hold: 'is held until "callhome problem release"',
	release: 'goes out',
	close: 'is closed here; IBM is not told',
	refresh: 'is asked after at IBM',
};

/** Does it through the bridge that runs, or on its store when none does: then what is to be sent goes out at the next start. */
export async function operateOn(config: Config, order: ProblemOrder): Promise<Output> {
	const {directory} = config.store;
	const isRunning = isLocked(directory);
	try {
		await (isRunning ? giveOrder(directory, order) : operateAlone(config, order));
	} catch (error) {
		if (!isBridgeError(error, 'ERR_USAGE')) throw error;
		return {
			json: {error: {code: error.code, message: error.message}},
			lines: [error.message],
			exitCode: refusedCodes[order.operation],
		};
	}
	const {read, close} = openStoreForReading(directory);
	try {
		const problem = await findProblem(read, order.id);
		const later =
			isRunning || order.operation === 'hold' || order.operation === 'close' ? '' : ', at the next start of the bridge';
		return {json: problemJson(problem), lines: [`Problem ${problem.id} ${done[order.operation]}${later}.`]};
	} finally {
		await close();
	}
}

async function operateAlone(config: Config, order: ProblemOrder): Promise<void> {
	await alone(config, store => createOperate({store, policy: policyWithoutBackend(config), wake: () => {}})(order));
}

/** On the store of a bridge that does not run. */
export async function alone<Result>(config: Config, work: (store: Store) => Promise<Result>): Promise<Result> {
	const {directory, max_size} = config.store;
	await openStoreForReading(directory).close(); // Says by name that there is none, instead of making one.
	using _lock = lockDirectory(directory);
	const warn = (text: string) => process.stderr.write(`${text}\n`);
	const store = await openStore({
		directory,
		maxSize: max_size,
		onFailure: error => warn(error.message),
		onSetAside: ({movedTo, cause}) => warn(`the store was damaged (${cause}): moved to ${movedTo}`),
	});
	try {
		return await work(store);
	} finally {
		await store.close();
	}
}
