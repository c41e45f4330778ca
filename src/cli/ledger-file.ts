import {ledgerFormat} from '../agent/ledger-lines.ts';
import {BridgeError} from '../errors.ts';
import {digest, type Place, readEntry} from '../ledger.ts';
import {createVerifier, type Verification, type Verifier} from '../ledger-verifier.ts';
import {type Line, linesOf, sizeOf} from './replay-lines.ts';

type Fields = Readonly<Record<string, unknown>>;

export type FileOptions = {readonly head?: Place | undefined; readonly onProgress?: (sequence: number, percent?: number) => void};

/**
Verifies an exported ledger, line by line, with nothing but the file. Rejects with ERR_NOT_FOUND when there is none, and
with ERR_MALFORMED for what is no export at all.
*/
export async function verifyFile(file: string, {head, onProgress = () => {}}: FileOptions = {}): Promise<Verification> {
	const size = await sizeOf(file);
	let verifier: Verifier | undefined;
	let end: Fields | undefined;
	for await (const line of linesOf(file)) {
		if (!verifier) {
			verifier = createVerifier({anchor: anchorIn(line, file), head});
			continue;
		}
		const fields = fieldsOf(line);
		if (end) verifier.report('malformed', 'order', verifier.place().sequence + 1);
		if (isOnly(fields, 'head', 'entries') && fields.head !== undefined) end = fields;
		else addLine(verifier, fields);
		onProgress(verifier.place().sequence, size ? Math.floor((100 * line.bytes) / size) : undefined);
	}
	if (!verifier) throw notOurs(file, 'it is empty');
	checkEnd(verifier, end);
	return verifier.finish();
}

/** What this version does not know, it cannot vouch for. */
const isOnly = (fields: Fields | undefined, ...keys: readonly string[]): fields is Fields =>
	fields !== undefined && Object.keys(fields).every(key => keys.includes(key));

const notOurs = (file: string, why: string) =>
	new BridgeError('ERR_MALFORMED', `${file} is not an exported ledger: ${why}. "callhome ledger export" writes one`);

function anchorIn(line: Line, file: string): Place {
	const {format, version, anchor} = fieldsOf(line) ?? {};
	if (format !== ledgerFormat.format) throw notOurs(file, `its first line is not {"format":"${ledgerFormat.format}", …}`);
	if (version !== ledgerFormat.version)
		throw new BridgeError('ERR_MALFORMED', `${file} has version ${String(version)} of the format: verify it with a newer bridge`);
	const place = toPlace(anchor);
	if (!place) throw notOurs(file, 'its first line has no anchor');
	return place;
}

function toPlace(value: unknown): Place | undefined {
	const {sequence, hash} = Object(value) as Partial<Record<string, unknown>>;
	const isPlace = Number.isSafeInteger(sequence) && Number(sequence) >= 0 && typeof hash === 'string';
	return isPlace ? {sequence: Number(sequence), hash} : undefined;
}

/** Undefined when the line is no JSON object. */
function fieldsOf(line: Line): Fields | undefined {
	if ('fault' in line) return undefined;
	try {
		const value: unknown = JSON.parse(line.text);
		return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
	} catch {
		return undefined;
	}
}

function addLine(verifier: Verifier, fields: Fields | undefined): void {
	const {entry, hash, text} = fields ?? {};
	const isText = (text === undefined || typeof text === 'string') && isOnly(fields, 'entry', 'hash', 'text');
	if (isText && typeof entry === 'string' && typeof hash === 'string' && readEntry(entry))
		verifier.add({entry, hash, kept: text === undefined ? undefined : digest(text)});
	else verifier.report('malformed', 'line', verifier.place().sequence + 1);
}

/** The last line says where the file ends. */
function checkEnd(verifier: Verifier, end: Fields | undefined): void {
	const {sequence, hash} = verifier.place();
	const isMiscounted = verifier.isWhole() && end?.entries !== verifier.entries();
	const last = toPlace(end?.head);
	if (!last) verifier.report('missing', 'end of the file', sequence + 1);
	else if (last.sequence > sequence) verifier.report('missing', 'entries', sequence + 1, last.sequence);
	else if (last.sequence < sequence || last.hash !== hash || isMiscounted)
		verifier.report('malformed', 'end of the file', sequence + 1);
}
