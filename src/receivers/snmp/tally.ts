import {metrics} from '@opentelemetry/api';
import {attributeNames, bridgeMetrics, scopeName} from '../../telemetry.ts';

/** Counts traps among the records of the intake: `accepted`, `filtered`, `rejected`, and `lost`, which nobody sends again. */
export function createTally() {
	const {name, unit, description} = bridgeMetrics.intakeRecords;
	const counter = metrics.getMeter(scopeName).createCounter(name, {unit, description});
	return function count(outcome: string, records: number): void {
		counter.add(records, {[attributeNames.signal]: 'snmp', [attributeNames.intakeOutcome]: outcome});
	};
}
