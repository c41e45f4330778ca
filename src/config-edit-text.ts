import {isDeepStrictEqual} from 'node:util';
import {type Document, isMap, isNode, isScalar, parseDocument} from 'yaml';

/** How the file is written already: what is added to it should look the same. */
const styleOf = (text: string) => ({
	lineWidth: 0,
	flowCollectionPadding: !/[:-] \{[^\s}]/.test(text),
	indentSeq: !/^[\w-]+:[^\S\n]*\n- /m.test(text),
	singleQuote: !/"/.test(text) && /'/.test(text),
	...(isJson(text) && ({defaultKeyType: 'QUOTE_DOUBLE', defaultStringType: 'QUOTE_DOUBLE'} as const)),
});

/**
The text with one of its top-level keys changed by `edit`. Everything else stays byte for byte: the changed file is written as a
whole, and only the part with the key is taken over from it. Where that cannot be done, as in a file in JSON, the whole is.
*/
export function withChanged(text: string, key: string, edit: (document: Document) => void): string {
	const document: Document = parseDocument(text);
	edit(document);
	const whole = document.toString(styleOf(text));
	const spliced = splice(text, whole, key);
	return spliced !== undefined && isSame(spliced, whole) ? spliced : whole;
}

const isSame = (one: string, other: string): boolean => isDeepStrictEqual(plain(one), plain(other));

function isJson(text: string): boolean {
	try {
		return JSON.parse(text) !== undefined;
	} catch {
		return false;
	}
}

/** A text that is not YAML has itself as its value, so that it equals no other. */
function plain(text: string): unknown {
	const document = parseDocument(text);
	return document.errors.length > 0 ? text : document.toJS({maxAliasCount: 100});
}

function splice(text: string, whole: string, key: string): string | undefined {
	const from = rangeOf(text, key);
	const part = rangeOf(whole, key);
	if (from === 'flow' || part === 'flow') return undefined;
	const written = part ? whole.slice(part.start, part.end) : '';
	const fresh = text.includes('\r\n') ? written.replaceAll(/\r?\n/g, '\r\n') : written;
	const newline = text.includes('\r\n') ? '\r\n' : '\n';
	if (!from) return `${text}${text === '' || text.endsWith('\n') ? '' : newline}${fresh}`;
	return text.slice(0, from.start) + fresh + text.slice(from.end);
}

/** From the key to the end of its value, in whole lines, without the comments after it: they may belong to the next key. */
function rangeOf(text: string, key: string): {readonly start: number; readonly end: number} | 'flow' | undefined {
	const {contents} = parseDocument(text);
	if (contents !== null && (!isMap(contents) || contents.flow)) return 'flow';
	const pair = isMap(contents) ? contents.items.find(item => isScalar(item.key) && item.key.value === key) : undefined;
	if (!pair || !isScalar(pair.key) || !pair.key.range) return undefined;
	const [start] = pair.key.range;
	const end = isNode(pair.value) ? pair.value.range?.[2] : undefined;
	return {start, end: start + lengthWithoutComments(text.slice(start, end ?? pair.key.range[2]))};
}

function lengthWithoutComments(part: string): number {
	const lines = part.split(/(?<=\n)/);
	const last = lines.findLastIndex(line => !/^\s*(?:#.*)?\s*$/.test(line));
	return lines.slice(0, last + 1).join('').length;
}
