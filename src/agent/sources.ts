import type {Component} from '../component.ts';
import {startAll} from '../component.ts';
import type {Config} from '../config.ts';
import {toError} from '../errors.ts';
import {type Consume, isKept} from '../event.ts';
import {emitAlert} from '../own-telemetry/events.ts';
import {plainAttributes, type Readings} from '../own-telemetry/readings.ts';
import type {Telemetry} from '../own-telemetry/sdk.ts';
import type {Marks, SourceParts} from '../source.ts';
import type {Store} from '../store/store.ts';
import {systemMetrics} from '../system-metrics.ts';
import {observe} from '../telemetry.ts';
import type {Log} from './log.ts';
import {keepSourcesState} from './sources-state.ts';
import {createTargets} from './targets.ts';

export type SourceSurroundings = {
	readonly consume: Consume;
	readonly store: Store;
	readonly readings: Readings;
	readonly telemetry: Pick<Telemetry, 'loggerFor'>;
	readonly log: Log;
};

/** Starts every source of hardware events that the configuration names; they end with the stack. */
export async function startSources(config: Config, surroundings: SourceSurroundings, stack: AsyncDisposableStack): Promise<void> {
	const {store, readings, log} = surroundings;
	const targets = createTargets(store, log);
	stack.defer(() => targets.close());
	const parts: SourceParts = {
		consume: keptThenEmitted(surroundings),
		measure: readings.measure,
		marks: marksIn(store),
		onTarget: targets.change,
		log,
	};
	stack.use(await startAll(await sourcesOf(config, parts)));
	targets.observe();
	observe(systemMetrics.systemsRead, () => [{value: readings.machines()}]);
	keepSourcesState(targets, store, {log, stack});
}

/** One line for each kind. What the configuration does not name is not even loaded: some of them bring large libraries. */
async function sourcesOf({receivers}: Config, parts: SourceParts): Promise<readonly Component[]> {
	const {alertmanager, cim, host, redfish, snmp} = receivers;
	const made = [
		alertmanager &&
			import('../receivers/alertmanager/receiver.ts').then(module => module.createAlertmanagerReceiver(alertmanager, parts)),
		cim && import('../receivers/cim/receiver.ts').then(module => module.createCimReceiver(cim, parts)),
		host && import('../receivers/host/receiver.ts').then(module => module.createHostReceiver(host, parts)),
		redfish && import('../receivers/redfish/receiver.ts').then(module => module.createRedfishReceiver(redfish, parts)),
		snmp && import('../receivers/snmp/receiver.ts').then(module => module.createSnmpReceiver(snmp, parts)),
	];
	return Promise.all(made.filter(component => component !== undefined));
}

/** On disk first; then what told something new goes to the log store of the operator, with the machine on the resource. */
const keptThenEmitted = ({consume, telemetry, log}: SourceSurroundings): Consume =>
	async function consumeFromSource(events) {
		const decisions = await consume(events);
		for (const [index, event] of events.entries()) {
			const decision = decisions[index];
			if (decision === undefined || !isKept(decision)) continue;
			try {
				const logger = telemetry.loggerFor(plainAttributes(event.resource));
				if (logger) emitAlert(logger, event);
			} catch (error) {
				log('warn', `an alert is kept, and could not be emitted as a log record: ${toError(error).message}`);
			}
		}
		return decisions;
	};

/** Among the settings of the store, with a prefix that no other setting has. */
export const marksIn = (store: Pick<Store, 'read' | 'write'>): Marks => ({
	read: key => store.read.readSetting(`mark/${key}`),
	write: (key, value) => store.write(records => records.writeSetting(`mark/${key}`, value)),
});
