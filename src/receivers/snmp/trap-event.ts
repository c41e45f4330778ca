import {type Attributes, type HardwareEvent, Severity} from '../../event.ts';
import {type Alert, type Told, toEvent} from './alert.ts';
import {idracAlert} from './idrac-alert.ts';
import {iloAlert} from './ilo-alert.ts';
import {immAlert} from './imm-alert.ts';
import {type Trap, textOfValue} from './trap.ts';

/** Each knows the traps of its own makers. */
const readers: readonly ((told: Told) => Alert | undefined)[] = [immAlert, idracAlert, iloAlert];

/** A trap of a maker or with a number that no table has: it is kept and shown, and nobody is called for it. */
function unknownAlert({trap}: Told): Alert {
	const words = trap.varbinds.map(({value}) => textOfValue(value)).find(text => /[a-z]{3,} /i.test(text)) ?? '';
	return {message: words || `SNMP trap ${trap.oid}`, severity: Severity.info, state: undefined, id: `trap/${trap.oid}`};
}

/** What is known of the machine behind an address, such as from polling it. */
export type Known = (address: string) => Attributes | undefined;

/** A trap as a hardware event. */
export function trapEvent(trap: Trap, receivedAt: number, known: Known = () => undefined): HardwareEvent {
	const values = new Map(trap.varbinds.map(({oid, value}) => [oid, value]));
	const told: Told = {trap, receivedAt, valueAt: oid => values.get(oid)};
	let alert: Alert | undefined;
	for (const read of readers) alert ??= read(told);
	const found = alert ?? unknownAlert(told);
	const address: Attributes = {'host.name': trap.agent, 'host.ip': trap.agent};
	return toEvent(found, told, {...address, ...found.resource, ...agreeing(known(trap.agent), found.resource)});
}

const serial = 'callhome.system.serial_number';

/** What is known of an address says nothing of a machine that names another serial number: then a relay has sent the trap. */
function agreeing(known: Attributes | undefined, said: Attributes = {}): Attributes | undefined {
	const [one, other] = [known?.[serial], said[serial]];
	return one === undefined || other === undefined || one === other ? known : undefined;
}
