/** A value as a varbind carries it: OIDs and IPv4 addresses are text, octets are bytes, 64-bit counters are bytes as well. */
export type Varbind = {readonly oid: string; readonly value: string | number | boolean | Buffer | null};

/** A trap or an inform, whatever version it came in. */
export type Trap = {
	readonly kind: 'trap' | 'inform';
	readonly version: 1 | 2 | 3;
	/** snmpTrapOID; of a trap of version 1 as RFC 3584, section 3.1, makes it. */
	readonly oid: string;
	/** The rest of them, in the order in which they came. */
	readonly varbinds: readonly Varbind[];
	/** Hundredths of a second since the sender's SNMP engine began. */
	readonly uptime: number | undefined;
	/** The address of the machine that the trap is about: a relay passes traps of others on. */
	readonly agent: string;
};

/** A PDU as net-snmp decodes it. */
export type Pdu = {
	readonly type: number;
	readonly varbinds: readonly Varbind[];
	readonly enterprise?: string;
	readonly agentAddr?: string;
	readonly generic?: number;
	readonly specific?: number;
	readonly upTime?: number;
};

const sysUpTime = '1.3.6.1.2.1.1.3.0';
const snmpTrapOid = '1.3.6.1.6.3.1.1.4.1.0';
const snmpTraps = '1.3.6.1.6.3.1.1.5';
/** snmpTrapAddress, which a relay of traps of version 1 adds (RFC 3584, section 3.1). */
const snmpTrapAddress = '1.3.6.1.6.3.18.1.3.0';
const enterpriseSpecific = 6;
const informRequest = 0xa6;

/** The six traps that SNMP itself defines, such as coldStart and authenticationFailure: they tell nothing of hardware. */
export const isStandardTrap = ({oid}: Trap): boolean => /^1\.3\.6\.1\.6\.3\.1\.1\.5\.[1-6]$/.test(oid);

/** Undefined when it does not say what it is about. */
export function toTrap(pdu: Pdu, version: Trap['version'], sender: string): Trap | undefined {
	return version === 1 ? fromVersion1(pdu, sender) : fromVersion2(pdu, version, sender);
}

function fromVersion1(pdu: Pdu, sender: string): Trap | undefined {
	const {enterprise, generic, specific, upTime: uptime, varbinds, agentAddr} = pdu;
	if (enterprise === undefined || generic === undefined || specific === undefined) return undefined;
	if (generic < 0 || generic > enterpriseSpecific || specific < 0) return undefined;
	const oid = generic === enterpriseSpecific ? `${enterprise}.0.${specific}` : `${snmpTraps}.${generic + 1}`;
	return {kind: 'trap', version: 1, oid, varbinds, uptime, agent: toAgent(agentAddr, sender)};
}

function fromVersion2(pdu: Pdu, version: 2 | 3, sender: string): Trap | undefined {
	const valueAt = (oid: string) => pdu.varbinds.find(varbind => varbind.oid === oid)?.value;
	const oid = valueAt(snmpTrapOid);
	const uptime = valueAt(sysUpTime);
	const address = valueAt(snmpTrapAddress);
	if (typeof oid !== 'string') return undefined;
	return {
		kind: pdu.type === informRequest ? 'inform' : 'trap',
		version,
		oid,
		varbinds: pdu.varbinds.filter(varbind => varbind.oid !== sysUpTime && varbind.oid !== snmpTrapOid),
		uptime: typeof uptime === 'number' ? uptime : undefined,
		agent: toAgent(typeof address === 'string' ? address : undefined, sender),
	};
}

/** Many agents name none, or their inner address. */
const toAgent = (named: string | undefined, sender: string): string =>
	named === undefined || /^(0|127|169\.254)\./.test(named) ? sender : named;

const longestText = 2000;

/** A value as text, without what a terminal or a log would take for commands. Bytes that are no UTF-8 are read as Latin-1. */
export function textOfValue(value: Varbind['value'] | undefined): string {
	if (value === null || value === undefined) return '';
	if (!Buffer.isBuffer(value)) return String(value);
	const bytes = value.subarray(0, longestText);
	const text = bytes.toString('latin1');
	if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text)) return text; // As nearly all of them are.
	const decoded = bytes.toString('utf8');
	const readable = decoded.includes('\ufffd') ? text : decoded;
	return readable.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ').trim();
}

/** An integer, also when a module sends it as text. */
export function integerOf(value: Varbind['value'] | undefined): number | undefined {
	if (typeof value === 'number') return value;
	const text = textOfValue(value);
	return /^-?\d{1,10}$/.test(text) ? Number(text) : undefined;
}
