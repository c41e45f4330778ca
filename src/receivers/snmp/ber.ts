/** Where the content of an element lies in its datagram. */
type Element = {readonly tag: number; readonly start: number; readonly end: number};

/** What a message says of itself before anything is believed. */
export type Header =
	| {readonly version: 1 | 2}
	| {
			readonly version: 3;
			readonly engineId: string;
			/** Of that engine: how often it began, and for how many seconds it has run. */
			readonly boots: number;
			readonly time: number;
			readonly user: string;
			readonly authenticated: boolean;
	  };

const integer = 0x02;
const octets = 0x04;
const objectIdentifier = 0x06;
const sequence = 0x30;
const trapV1 = 0xa4;
const informRequest = 0xa6;
const getRequest = 0xa0;
const trapV2 = 0xa7;

/** A trap of the IMM has 22 varbinds. */
const mostVarbinds = 256;
/** X.690 has no limit; RFC 3416 allows 128 arcs of 32 bits. */
const longestName = 640;

function elementAt(bytes: Buffer, at: number, limit: number): Element | undefined {
	const tag = bytes[at];
	const first = bytes[at + 1];
	if (tag === undefined || first === undefined || at + 2 > limit) return undefined;
	const more = first & 0x7f;
	if (first < 0x80) return at + 2 + first <= limit ? {tag, start: at + 2, end: at + 2 + first} : undefined;
	if (more === 0 || more > 4 || at + 2 + more > limit) return undefined;
	const start = at + 2 + more;
	const end = start + bytes.readUIntBE(at + 2, more);
	return end <= limit ? {tag, start, end} : undefined;
}

/** The elements that fill another one without a gap; undefined when they do not, or when there are more than fit. */
function within(bytes: Buffer, {start, end}: {start: number; end: number}, most = 16): Element[] | undefined {
	const found: Element[] = [];
	for (let at = start; at < end; ) {
		const element = elementAt(bytes, at, end);
		if (!element || found.length >= most) return undefined;
		found.push(element);
		at = element.end;
	}
	return found;
}

const hasTags = (elements: readonly Element[] | undefined, ...tags: readonly number[]): elements is Element[] =>
	elements?.length === tags.length && elements.every(({tag}, index) => tag === tags[index]);

const isVarbind = (bytes: Buffer, element: Element): boolean => {
	const parts = element.tag === sequence ? within(bytes, element) : undefined;
	return parts?.length === 2 && parts[0]?.tag === objectIdentifier && parts[0].end - parts[0].start <= longestName;
};

/** Whether a PDU is one that a trap receiver answers, and whole to its last varbind. */
function isNotification(bytes: Buffer, pdu: Element): boolean {
	const parts = within(bytes, pdu);
	const isWhole =
		pdu.tag === trapV1
			? hasTags(parts, objectIdentifier, 0x40, integer, integer, 0x43, sequence)
			: [informRequest, trapV2, getRequest].includes(pdu.tag) && hasTags(parts, integer, integer, integer, sequence);
	const list = isWhole ? parts?.at(-1) : undefined;
	return list !== undefined && (within(bytes, list, mostVarbinds)?.every(element => isVarbind(bytes, element)) ?? false);
}

/**
Looks over a datagram before the library decodes it, which takes a message that was cut off for one with fewer varbinds.
Undefined for what is no whole notification (RFC 1157, 3412, 3416) or a discovery of the engine. What is encrypted is not looked at.
*/
export function readHeader(bytes: Buffer): Header | undefined {
	const message = elementAt(bytes, 0, bytes.length);
	if (message?.tag !== sequence || message.end !== bytes.length) return undefined;
	const parts = within(bytes, message);
	const version = parts?.[0];
	if (!parts || version?.tag !== integer || version.end - version.start !== 1) return undefined;
	const number = bytes[version.start];
	if (number === 3) return readHeaderV3(bytes, parts);
	const pdu = parts[2];
	if (parts.length !== 3 || parts[1]?.tag !== octets || !pdu || (number !== 0 && number !== 1)) return undefined;
	if ((pdu.tag === trapV1) !== (number === 0) || pdu.tag === getRequest || !isNotification(bytes, pdu)) return undefined;
	return {version: number === 0 ? 1 : 2};
}

function readHeaderV3(bytes: Buffer, parts: readonly Element[]): Header | undefined {
	const [, global, security, scoped] = parts;
	if (parts.length !== 4 || global?.tag !== sequence || security?.tag !== octets || !scoped) return undefined;
	const flags = flagsOf(bytes, global);
	const parameters = elementAt(bytes, security.start, security.end);
	if (flags === undefined || parameters?.tag !== sequence || parameters.end !== security.end) return undefined;
	const fields = within(bytes, parameters);
	if (!hasTags(fields, octets, integer, integer, octets, octets, octets)) return undefined;
	const [engine, ...others] = fields;
	const [boots, time] = others.slice(0, 2).map(field => integerIn(bytes, field));
	const user = fields[3];
	if (!engine || !user || engine.end - engine.start > 32 || user.end - user.start > 32) return undefined; // RFC 3411, 3414
	if (boots === undefined || time === undefined || boots < 0 || time < 0) return undefined;
	const isPrivate = (flags & 2) !== 0;
	if (isPrivate ? scoped.tag !== octets : !isScopedNotification(bytes, scoped)) return undefined;
	return {
		version: 3,
		engineId: bytes.toString('hex', engine.start, engine.end),
		boots,
		time,
		user: bytes.toString('utf8', user.start, user.end),
		authenticated: (flags & 1) !== 0,
	};
}

const integerIn = (bytes: Buffer, {start, end}: Element): number | undefined =>
	end - start >= 1 && end - start <= 4 ? bytes.readIntBE(start, end - start) : undefined;

function flagsOf(bytes: Buffer, global: Element): number | undefined {
	const fields = within(bytes, global);
	const flags = hasTags(fields, integer, integer, octets, integer) ? fields[2] : undefined;
	return flags && flags.end - flags.start === 1 ? bytes[flags.start] : undefined;
}

function isScopedNotification(bytes: Buffer, scoped: Element): boolean {
	const fields = scoped.tag === sequence ? within(bytes, scoped) : undefined;
	const pdu = fields?.[2];
	return fields?.length === 3 && fields[0]?.tag === octets && fields[1]?.tag === octets && !!pdu && isNotification(bytes, pdu);
}
