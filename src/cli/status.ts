import {inventoriesBySystem} from '../agent/inventory.ts';
import {readSourcesState} from '../agent/sources-state.ts';
import {recallDestinations} from '../agent/updates.ts';
import {destinationsIn} from '../agent/ways.ts';
import type {Config} from '../config.ts';
import {packageVersion} from '../own-telemetry/resource.ts';
import {type ProblemState, problemStates} from '../problem.ts';
import {readState} from '../sending/connectivity-state.ts';
import {readLights} from '../sending/lights.ts';
import {lastSuccess} from '../sending/settling.ts';
import {isLocked} from '../store/lock.ts';
import {openStoreForReading, type Records} from '../store/store.ts';
import {facts, type Output, timeText} from './print.ts';
import {connectivityJson, connectivityLines} from './status-connectivity.ts';
import {inventoriesStatus, inventoriesText} from './status-inventories.ts';
import {ledgerText, readLedgerStatus} from './status-ledger.ts';
import {sourcesJson, sourcesLines} from './status-sources.ts';
import {readUpdatesStatus, updatesText} from './status-updates.ts';

/** ESA's exit codes. */
const exitCodeOf = {running: 0, not_running: 1, not_activated: 29} as const;
type Condition = keyof typeof exitCodeOf;

const explanationOf: Record<Condition, string> = {
	running: 'The bridge is running.',
	not_running: 'The bridge is not running: start it with "callhome run".',
	not_activated: 'The bridge is not activated: consent.cases is not true, or the keys for IBM are missing.',
};

function conditionOf({consent, exporter}: Config, directory: string): Condition {
	const {call_home_connect: ibm} = exporter;
	const hasKeys = !ibm || (ibm.api_key !== undefined && ibm.private_key !== undefined);
	if (!consent.cases || !hasKeys) return 'not_activated';
	return isLocked(directory) ? 'running' : 'not_running';
}

const destinationOf = ({exporter}: Config): string =>
	exporter.call_home_connect ? exporter.call_home_connect.endpoint.host : 'sandbox (nothing reaches IBM)';

async function readStore(directory: string, isRunning: boolean, inventoryMillis: number) {
	const {read, close} = openStoreForReading(directory);
	try {
		return {
			problems: await countsByState(read),
			queue: await read.tallyQueue(),
			totals: await readTotals(read),
			connectivity: {lit: await readLights(read), state: isRunning ? await readState(read) : undefined},
			sources: isRunning ? await readSourcesState(read) : undefined,
			ledger: await readLedgerStatus(read),
			inventories: await inventoriesBySystem(read, [], inventoryMillis),
		};
	} finally {
		await close();
	}
}

async function countsByState(read: Records): Promise<Record<ProblemState, number>> {
	const tally = await read.tallyProblems();
	const countOf = (state: ProblemState) =>
		tally.filter(row => row.state === state).reduce((sum, {problems}) => sum + problems, 0);
	return Object.fromEntries(problemStates.map(state => [state, countOf(state)])) as Record<ProblemState, number>;
}

/** Each by itself, for none of them says anything about the next. */
async function readTotals(read: Records) {
	const at = async (name: string) => {
		const millis = await read.readSetting(name);
		return millis === undefined ? undefined : timeText(Number(millis));
	};
	return {
		reached: await at(lastSuccess.reached),
		accepted: await at(lastSuccess.accepted),
		case_opened: await at(lastSuccess.caseOpened),
		heartbeat: await at(lastSuccess.heartbeat),
	};
}

export async function status(config: Config): Promise<Output> {
	const {directory} = config.store;
	const condition = conditionOf(config, directory);
	const state = await readStore(directory, isLocked(directory), config.service_information.inventory.interval).catch(
		() => undefined,
	);
	// A key that cannot be read is told under updates.
	const destinations = await recallDestinations(config).catch(() => destinationsIn(config));
	const connectivity = {...(state?.connectivity ?? {lit: {}, state: undefined}), destinations};
	const updates = await readUpdatesStatus(config);
	const version = packageVersion();
	const inventories = state && inventoriesStatus(config, state.inventories);
	const json = {
		status: condition,
		version,
		destination: destinationOf(config),
		sandbox: config.exporter.sandbox !== undefined,
		system: config.system ?? null,
		problems: state?.problems ?? null,
		queue_size: state?.queue.size ?? null,
		last_success: state ? Object.fromEntries(Object.entries(state.totals).map(([name, at]) => [name, at ?? null])) : null,
		updates,
		ledger: state?.ledger ?? null,
		inventories: inventories ?? null,
		...connectivityJson(config, connectivity),
		...sourcesJson(state?.sources),
	};
	const {system} = config;
	const counts = Object.entries(state?.problems ?? {}).filter(([, count]) => count > 0);
	const lines = [
		explanationOf[condition],
		...facts([
			['Product version', version],
			['System', system && `${system.name ?? ''} ${system.machine_type}-${system.model}/${system.serial_number}`.trim()],
			['Destination', destinationOf(config)],
			['Problems', counts.length === 0 ? 'none' : counts.map(([name, count]) => `${count} ${name}`).join(', ')],
			['Waiting to be sent', state && String(state.queue.size)],
			['Last reached', state?.totals.reached ?? 'never'],
			['Last accepted', state?.totals.accepted ?? 'never'],
			['Last case opened', state?.totals.case_opened ?? 'never'],
			['Last heartbeat', state?.totals.heartbeat ?? 'never'],
			['Inventories', state && inventoriesText(inventories ?? null)],
			['Ledger', state && ledgerText(state.ledger)],
			['Updates', updatesText(updates)],
		]),
		...connectivityLines(config, connectivity),
		...sourcesLines(state?.sources),
	];
	return {json, lines, exitCode: exitCodeOf[condition]};
}
