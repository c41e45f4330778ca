import {hash} from 'node:crypto';
import {type Attributes, type AttributeValue, type HardwareEvent, Severity} from '../../event.ts';
import type {HardwareType} from '../../hardware.ts';
import {type Trap, textOfValue, type Varbind} from './trap.ts';

/** What a trap says, in words that all management modules have in common. */
export type Alert = {
	readonly message: string;
	readonly severity: number;
	/** Undefined for what is only told, such as that somebody logged in. */
	readonly state: 'ok' | 'degraded' | 'failed' | 'predicted_failure' | undefined;
	readonly type?: HardwareType | undefined;
	readonly id: string;
	readonly name?: string | undefined;
	readonly errorType?: string | undefined;
	/** Who is needed, as far as the module knows. */
	readonly verdict?: 'call_home' | 'serviceable' | 'never' | undefined;
	readonly isTest?: boolean;
	readonly code?: string | undefined;
	readonly attributes?: Attributes;
	/** The varbinds by names instead of OIDs, where all of them have one. */
	readonly words?: Attributes;
	readonly resource?: Attributes;
	/** What makes it itself, when that is not all of its varbinds and the sender's clock. */
	readonly identity?: readonly unknown[];
};

export type Told = {
	readonly trap: Trap;
	readonly receivedAt: number;
	readonly valueAt: (oid: string) => Varbind['value'] | undefined;
};

export const digest = (parts: readonly unknown[]): string => hash('sha256', JSON.stringify(parts)).slice(0, 32);

/** The producer's flags, as the processors read them. */
const verdicts = {
	call_home: {'callhome.serviceable': true, 'callhome.call_home_candidate': true},
	serviceable: {'callhome.serviceable': true, 'callhome.call_home_candidate': false},
	never: {'callhome.serviceable': false},
} as const;

const mostVarbinds = 40;

/** Everything as it came, by its OID: what no table knows may be what somebody looks for. */
export const varbindAttributes = (varbinds: readonly Varbind[]): Attributes =>
	Object.fromEntries(varbinds.slice(0, mostVarbinds).map(({oid, value}) => [`snmp.varbind.${oid}`, textOfValue(value)]));

const without = (entries: Readonly<Record<string, AttributeValue | undefined>>): Attributes =>
	Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined && value !== '')) as Attributes;

/** A repeated trap has the id of the first one: of its own words where the alert has them, else of all that it carries. */
export function toEvent(alert: Alert, {trap, receivedAt}: Told, resource: Attributes): HardwareEvent {
	const all = () => trap.varbinds.map(({oid, value}) => [oid, Buffer.isBuffer(value) ? value.toString('hex') : value]);
	const {state, verdict, isTest} = alert;
	return {
		id: digest(['snmp', trap.oid, ...(alert.identity ?? [trap.agent, trap.uptime, all()])]),
		name: 'callhome.hardware.alert',
		occurredAt: receivedAt, // Modules tell the time without its zone, if at all.
		receivedAt,
		severity: alert.severity,
		message: alert.message,
		resource,
		attributes: {
			...(alert.words ?? varbindAttributes(trap.varbinds)),
			...without({
				'hw.id': alert.id,
				'hw.type': alert.type,
				'hw.name': alert.name,
				'hw.state': state,
				'error.type': alert.errorType,
				'callhome.event.code': alert.code,
				'callhome.test': isTest ? true : undefined,
				'snmp.trap.oid': trap.oid,
				'snmp.trap.agent': trap.agent,
			}),
			...(verdict !== undefined && state !== 'ok' ? verdicts[verdict] : {}),
			...alert.attributes,
		},
		source: 'snmp/trap',
	};
}

/** What a state is worth when the module does not say it. */
export const severityOfState = {
	failed: Severity.error,
	predicted_failure: Severity.warn,
	degraded: Severity.warn,
	ok: Severity.info,
} as const;
