import {Severity} from '../../event.ts';
import type {HardwareType} from '../../hardware.ts';
import {type Alert, severityOfState, type Told} from './alert.ts';
import {namedPart} from './part.ts';
import {integerOf, textOfValue} from './trap.ts';

/** IDRAC-MIB-SMIv2: traps `.5.3.2.{group}.0.N`; some senders leave the 0 out. */
const traps = /^1\.3\.6\.1\.4\.1\.674\.10892\.5\.3\.2\.([1-5])\.(?:0\.)?(\d{1,5})$/;
const objects = '1.3.6.1.4.1.674.10892.5.3.1';
const test = 10_395;

type Family = {readonly type: HardwareType; readonly errorType?: string; readonly absent?: true};

/** By the number of the failure; the warning is the next one, and the one after it says that all is well or what goes on. */
const families: Readonly<Record<number, Family>> = {
	2153: {type: 'fan'},
	2161: {type: 'temperature'},
	2169: {type: 'voltage'},
	2185: {type: 'power_supply'},
	2225: {type: 'battery'},
	2241: {type: 'cpu'},
	2265: {type: 'memory'},
	2297: {type: 'physical_disk'},
	2457: {type: 'cpu', absent: true},
	2465: {type: 'power_supply', absent: true},
	2473: {type: 'power_supply', errorType: 'redundancy_lost'},
	4273: {type: 'battery'},
	4329: {type: 'disk_controller'},
	4337: {type: 'enclosure'},
	4345: {type: 'physical_disk'},
	4353: {type: 'logical_disk'},
};

/** ObjectStatusEnum. */
const statuses: Readonly<Record<number, NonNullable<Alert['state']>>> = {3: 'ok', 4: 'degraded', 5: 'failed', 6: 'failed'};
const severities: Readonly<Record<number, number>> = {3: Severity.info, 4: Severity.warn, 5: Severity.error, 6: Severity.fatal};
const byPlace = ['failed', 'degraded', 'ok'] as const;

/** What is wrong is about hardware in the groups of the system and of the storage; updates, audits and settings are only told. */
const isHardware = (group: string): boolean => group === '1' || group === '2';

/** An alert of a Dell iDRAC; undefined when it is none. */
export function idracAlert({trap, valueAt}: Told): Alert | undefined {
	const match = traps.exec(trap.oid);
	if (!match) return undefined;
	const [, group = '', digits = ''] = match;
	const number = Number(digits);
	const text = (arc: number) => textOfValue(valueAt(`${objects}.${arc}.0`) ?? valueAt(`${objects}.${arc}`));
	const status = integerOf(valueAt(`${objects}.3.0`) ?? valueAt(`${objects}.3`));
	const place = [0, 1, 2].find(step => families[number - step] !== undefined);
	const family = place === undefined ? undefined : families[number - place];
	const state = isHardware(group) ? (statuses[status ?? 0] ?? (place === undefined ? undefined : byPlace[place])) : undefined;
	const [message, fqdd, device] = [text(2), text(6), text(7)];
	const part = namedPart(device || fqdd || message, family?.type, fqdd || `trap-${number}`);
	const isTest = number === test;
	return {
		message: message || `iDRAC alert ${number} without a text`,
		severity: severities[status ?? 0] ?? (state ? severityOfState[state] : Severity.info),
		state: isTest ? undefined : state,
		type: part.type,
		id: fqdd || part.id,
		name: device || fqdd || part.name,
		errorType: family?.errorType,
		verdict: isHardware(group) || isTest ? undefined : 'never',
		isTest,
		code: text(1),
		attributes: {'snmp.trap.specific': number},
		resource: {
			...(text(5) && {'host.name': text(5)}),
			...(/^\w{5,10}$/.test(text(4)) && {'callhome.system.serial_number': text(4).toUpperCase()}),
		},
	};
}
