import {Severity} from '../../event.ts';
import type {HardwareType} from '../../hardware.ts';
import {type Alert, severityOfState, type Told} from './alert.ts';
import {integerOf, textOfValue} from './trap.ts';

/** HPE: CPQSTDEQ, CPQIDA and CPQHLTH. The oldest traps name the branch of their MIB as the enterprise, and count anew. */
const traps = /^1\.3\.6\.1\.4\.1\.232\.(?:([36])\.)?0\.(\d{1,5})$/;
const root = '1.3.6.1.4.1.232';
const sysName = '1.3.6.1.2.1.1.5.0';

type State = NonNullable<Alert['state']>;
type Status = {readonly column: number; readonly states: Readonly<Record<number, State | undefined>>};
type Row = {
	readonly numbers: readonly (number | string)[];
	readonly type: HardwareType;
	readonly words: string;
	readonly state: State | Status | undefined;
	/** The entry of the table whose row the varbinds are of. */
	readonly entry?: string;
	readonly errorType?: string;
	readonly verdict?: Alert['verdict'];
};

const [drive, logical, controller, accelerator] = ['3.2.5.1.1', '3.2.3.1.1', '3.2.2.1.1', '3.2.2.2.1'];
const [supply, fan, temperature, battery, cpu] = ['6.2.9.3.1', '6.2.6.7.1', '6.2.6.8.1', '6.2.17.2.1', '1.2.2.1.1'];
const modules = '6.2.14.13.1';

/** cpqDaPhyDrvStatus 4 is predictiveFailure, 8 ssdWearOut; while a drive is erased nothing is wrong with it. */
const driveStates: Status['states'] = {
	2: 'ok',
	3: 'failed',
	4: 'predicted_failure',
	5: undefined,
	6: undefined,
	7: undefined,
	8: 'predicted_failure',
};

/** Numbers with a letter before them belong to that branch. The newest first: which one a module sends is a matter of its age. */
const rows: readonly Row[] = [
	{
		numbers: [3046, 3036, 3029, 3018, 3010, 3003, '3/3'],
		type: 'physical_disk',
		words: 'status changed',
		state: {column: 6, states: driveStates},
		entry: drive,
	},
	{
		numbers: [3037, 3030, 3019, 3011, 3004, '3/4'],
		type: 'physical_disk',
		words: 'passed a threshold of its own',
		state: 'predicted_failure',
		entry: drive,
	},
	{
		numbers: [3049],
		type: 'physical_disk',
		words: 'wear changed',
		state: {column: 73, states: {2: 'ok', 3: 'degraded', 4: 'degraded', 5: 'degraded', 6: 'predicted_failure'}},
		entry: drive,
		verdict: 'serviceable',
	},
	{
		numbers: [3034, 3008, 3001, '3/1'],
		type: 'logical_disk',
		words: 'status changed',
		state: {column: 4, states: {2: 'ok', 3: 'failed', 4: undefined}},
		entry: logical,
	},
	{
		numbers: [3033, 3028, 3015],
		type: 'disk_controller',
		words: 'status changed',
		state: {column: 10, states: {2: 'ok', 3: 'failed'}},
		entry: controller,
	},
	{
		numbers: [3038, 3025, 3012, 3005, '3/5'],
		type: 'disk_controller',
		words: 'write cache changed',
		state: {column: 2, states: {3: 'ok', 5: 'failed', 8: 'failed'}},
		entry: accelerator,
	},
	{
		numbers: [3040, 3027, 3014, 3007, '3/7'],
		type: 'battery',
		words: 'of the write cache failed',
		state: 'failed',
		entry: accelerator,
	},
	{numbers: [6050, 6031], type: 'power_supply', words: 'failed', state: 'failed', entry: supply},
	{numbers: [6049, 6030, 6069], type: 'power_supply', words: 'is degraded', state: 'degraded', entry: supply},
	{numbers: [6048], type: 'power_supply', words: 'is well', state: 'ok', entry: supply},
	{numbers: [6032], type: 'power_supply', words: 'redundancy lost', state: 'degraded', errorType: 'redundancy_lost'},
	{numbers: [6054], type: 'power_supply', words: 'redundancy restored', state: 'ok', errorType: 'redundancy_lost'},
	{
		numbers: [6033, 6034],
		type: 'power_supply',
		words: 'was inserted or removed',
		state: undefined,
		entry: supply,
		verdict: 'never',
	},
	{numbers: [6036], type: 'fan', words: 'failed', state: 'failed', entry: fan},
	{numbers: [6035], type: 'fan', words: 'is degraded', state: 'degraded', entry: fan},
	{numbers: [6037], type: 'fan', words: 'redundancy lost', state: 'degraded', errorType: 'redundancy_lost'},
	{numbers: [6055], type: 'fan', words: 'redundancy restored', state: 'ok', errorType: 'redundancy_lost'},
	{numbers: [6038, 6039], type: 'fan', words: 'was inserted or removed', state: undefined, entry: fan, verdict: 'never'},
	{numbers: [6020], type: 'fan', words: 'of the system failed', state: 'failed'},
	{numbers: [6021], type: 'fan', words: 'of the system is degraded', state: 'degraded'},
	{numbers: [6022], type: 'fan', words: 'of the system is well', state: 'ok'},
	{numbers: [6040], type: 'temperature', words: 'is out of range', state: 'failed', entry: temperature},
	{numbers: [6041], type: 'temperature', words: 'is outside of the normal range', state: 'degraded', entry: temperature},
	{numbers: [6042], type: 'temperature', words: 'is normal', state: 'ok', entry: temperature},
	{numbers: [6017, 6003], type: 'temperature', words: 'of the system is out of range', state: 'failed'},
	{numbers: [6018, 6004], type: 'temperature', words: 'of the system is outside of the normal range', state: 'degraded'},
	{numbers: [6019, 6005], type: 'temperature', words: 'of the system is normal', state: 'ok'},
	{
		numbers: [6015, '6/1'],
		type: 'memory',
		words: 'corrected an error',
		state: undefined,
		errorType: 'corrected',
		verdict: 'never',
	},
	{
		numbers: [6056, 6029, 6064],
		type: 'memory',
		words: 'corrects too many errors: replace the module',
		state: 'predicted_failure',
		errorType: 'corrected_limit',
		entry: modules,
	},
	{numbers: [6070], type: 'battery', words: 'of the system failed', state: 'failed', entry: battery},
	{numbers: [6071], type: 'battery', words: 'of the system was removed', state: undefined, entry: battery, verdict: 'never'},
	{
		numbers: [1006],
		type: 'cpu',
		words: 'status changed',
		state: {column: 6, states: {2: 'ok', 3: 'degraded', 4: 'failed', 5: 'degraded'}},
		entry: cpu,
	},
];
const rowOf = new Map(rows.flatMap(row => row.numbers.map(number => [String(number), row] as const)));

/** An alert of an HPE iLO or of its agents; undefined when it is none, also for the many that are not about hardware. */
export function iloAlert({trap, valueAt}: Told): Alert | undefined {
	const [, branch, digits = ''] = traps.exec(trap.oid) ?? [];
	const row = rowOf.get(branch ? `${branch}/${digits}` : digits);
	if (!row) return undefined;
	const {entry, type, words} = row;
	const index = indexIn(trap.varbinds, entry);
	const state = stateOf(row, index, valueAt);
	const host = textOfValue(valueAt(sysName));
	const label = `${type.replaceAll('_', ' ')}${index ? ` ${index}` : ''}`;
	return {
		message: `${label}: ${words}`,
		severity: state ? severityOfState[state] : Severity.info,
		state,
		type,
		id: `${type}/${index || (row.errorType === 'redundancy_lost' ? 'redundancy' : 'system')}`,
		name: label,
		errorType: row.errorType,
		verdict: row.verdict,
		attributes: {'snmp.trap.specific': Number(digits)},
		resource: host ? {'host.name': host} : {},
	};
}

/** Where in its table the row stands, such as `0.3`: the arcs after the column. */
function indexIn(varbinds: readonly {readonly oid: string}[], entry: string | undefined): string {
	const prefix = `${root}.${entry}.`;
	const oid = entry && varbinds.find(varbind => varbind.oid.startsWith(prefix))?.oid;
	return oid ? oid.slice(prefix.length).split('.').slice(1).join('.') : '';
}

/** A status that the table does not know is not taken for health. */
function stateOf({state, entry}: Row, index: string, valueAt: Told['valueAt']): Alert['state'] {
	if (state === undefined || typeof state === 'string') return state;
	const column = `${root}.${entry}.${state.column}`;
	const status = integerOf(valueAt(index ? `${column}.${index}` : column));
	if (status === undefined) return 'degraded';
	return Object.hasOwn(state.states, status) ? state.states[status] : 'degraded';
}
