import {XMLParser, XMLValidator} from 'fast-xml-parser';
import {BridgeError} from '../../errors.ts';

/** An element with its attributes and its character data; comments and processing instructions are left out. */
export type Element = {
	readonly name: string;
	readonly attributes: ReadonlyMap<string, string>;
	readonly children: readonly Element[];
	readonly text: string;
};

/** Of markup: tags, comments and the like. An indication has some hundred; building what has 20 000 takes a fifth of a second. */
const mostMarkup = 20_000;
const limits = {depth: 64, tagLength: 32_768};

const malformed = (message: string): BridgeError => new BridgeError('ERR_MALFORMED', message);

const parser = new XMLParser({
	preserveOrder: true,
	ignoreAttributes: false,
	attributeNamePrefix: '',
	parseTagValue: false,
	parseAttributeValue: false,
	trimValues: false,
	processEntities: false,
	ignoreDeclaration: true,
	ignorePiTags: true,
	cdataPropName: '#cdata',
	maxNestedTags: limits.depth + 1,
});

/** Throws ERR_MALFORMED for what is not well-formed, declares entities of its own, or is nested or large beyond reason. */
export function parseXml(bytes: Uint8Array, most = mostMarkup): Element {
	const text = withoutDoctype(decode(bytes), most);
	const verdict = XMLValidator.validate(text);
	if (verdict !== true) throw malformed(`XML: ${verdict.err.msg} (line ${verdict.err.line})`);
	const [root] = elementsOf(parse(text));
	if (!root) throw malformed('XML: there is no element');
	return root;
}

type Node = Readonly<Record<string, unknown>>;

function parse(text: string): readonly Node[] {
	try {
		return parser.parse(text) as readonly Node[];
	} catch (cause) {
		throw new BridgeError('ERR_MALFORMED', 'XML: it cannot be parsed', {cause});
	}
}

const nodesIn = (value: unknown): readonly Node[] => (Array.isArray(value) ? value : []);
const nameOf = (node: Node): string | undefined => Object.keys(node).find(key => key !== ':@' && !key.startsWith('#'));

const elementsOf = (nodes: readonly Node[]): Element[] =>
	nodes.flatMap(node => {
		const name = nameOf(node);
		return name === undefined ? [] : [elementOf(name, node)];
	});

function elementOf(name: string, node: Node): Element {
	const inside = nodesIn(node[name]);
	const attributes = Object.entries((node[':@'] ?? {}) as Record<string, unknown>);
	return {
		name,
		attributes: new Map(attributes.map(([key, value]) => [key, unescaped(String(value))])),
		children: elementsOf(inside),
		text: inside.map(textOf).join(''),
	};
}

function textOf(node: Node): string {
	if ('#text' in node) return unescaped(String(node['#text']));
	return nodesIn(node['#cdata'])
		.map(({'#text': text}) => String(text ?? ''))
		.join('');
}

const entities: Readonly<Record<string, string>> = {lt: '<', gt: '>', amp: '&', quot: '"', apos: "'"};

/** The five entities of XML and numbers, once: what comes of them is text. Others do not exist without a DTD. */
const unescaped = (text: string): string =>
	text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{1,30}));/gi, (whole, decimal, hexadecimal, name) => {
		if (name !== undefined) return entities[name] ?? whole;
		const code = decimal === undefined ? Number.parseInt(hexadecimal, 16) : Number(decimal);
		return isCharacter(code) ? String.fromCodePoint(code) : '\uFFFD';
	});

const isCharacter = (code: number): boolean =>
	code === 9 || code === 10 || code === 13 || (code >= 0x20 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff));

export const escapeXml = (text: string): string =>
	text
		.replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
		.replaceAll('&', '&amp;')
		.replaceAll('<', '&lt;')
		.replaceAll('>', '&gt;')
		.replaceAll('"', '&quot;')
		.replaceAll('\r', '&#13;');

/** By the byte order mark, else the declaration. Old firmware declares UTF-8 and sends Latin-1: then that is what it is. */
function decode(bytes: Uint8Array): string {
	const label = markOf(bytes) ?? declared(bytes);
	const decoded = decodeAs(label, bytes) ?? (label === 'utf-8' ? decodeAs('windows-1252', bytes) : undefined);
	if (decoded === undefined) throw malformed(`XML: it is not valid ${label}`);
	// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that XML does not have.
	return decoded.replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F]/g, '\uFFFD');
}

function decodeAs(label: string, bytes: Uint8Array): string | undefined {
	try {
		return new TextDecoder(label, {fatal: true}).decode(bytes);
	} catch (error) {
		if (error instanceof RangeError) throw malformed(`XML: the encoding ${label} is not known here`);
		return undefined;
	}
}

function markOf([first, second, third, fourth]: Uint8Array): string | undefined {
	if (first === 0xff && second === 0xfe) return 'utf-16le';
	if (first === 0xfe && second === 0xff) return 'utf-16be';
	if (first === 0x3c && second === 0 && third !== 0) return 'utf-16le';
	if (first === 0 && second === 0x3c && fourth !== 0) return 'utf-16be';
	return undefined;
}

function declared(bytes: Uint8Array): string {
	const head = Buffer.from(bytes.subarray(0, 200)).toString('latin1');
	const label = /^\s*(?:\xEF\xBB\xBF)?<\?xml[^>]{0,150}?\bencoding\s*=\s*["']([\w.:-]{1,40})["']/.exec(head)?.[1]?.toLowerCase();
	// Declared in what is read as single bytes, UTF-16 is a mistake of the sender.
	return label === undefined || label.startsWith('utf-16') ? 'utf-8' : label;
}

/**
One walk over the markup, before anything is built from it. A reference to a DTD is cut out and never followed; one that
declares something itself is refused, for entities are all that it could be for.
*/
function withoutDoctype(text: string, most: number): string {
	let [depth, count, doctype] = [0, 0, ''];
	for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at)) {
		const end = endOfMarkup(text, at);
		if (++count > most) throw malformed(`XML: there are more than ${most} tags`);
		const [first, second] = [text[at + 1], text[at + 2]];
		if (first === '!' && second !== '-' && second !== '[') doctype = doctypeIn(text.slice(at, end));
		else if (first === '/') depth--;
		else if (first !== '!' && first !== '?') {
			if (text[end - 2] !== '/') depth++;
			if (end - at > limits.tagLength) throw malformed(`XML: a tag is longer than ${limits.tagLength} characters`);
			if (depth > limits.depth) throw malformed(`XML: elements are nested deeper than ${limits.depth}`);
		}
		at = end;
	}
	return doctype === '' ? text : text.replace(doctype, '');
}

function doctypeIn(declaration: string): string {
	if (/^<!DOCTYPE\s/i.test(declaration) && !declaration.includes('[') && !/<!ENTITY/i.test(declaration)) return declaration;
	throw malformed('XML: a document that declares entities is not taken');
}

function endOfMarkup(text: string, start: number): number {
	const endAfter = (token: string) => {
		const at = text.indexOf(token, start);
		if (at < 0) throw malformed('XML: it ends in the middle of its markup');
		return at + token.length;
	};
	if (text.startsWith('<!--', start)) return endAfter('-->');
	if (text.startsWith('<![CDATA[', start)) return endAfter(']]>');
	if (text.startsWith('<?', start)) return endAfter('?>');
	let quote = '';
	for (let at = start + 1; at < text.length; at++) {
		const character = text[at] ?? '';
		if (quote !== '') quote = character === quote ? '' : quote;
		else if (character === '>') return at + 1;
		else if (character === '"' || character === "'") quote = character;
	}
	throw malformed('XML: it ends in the middle of a tag');
}

/** The children of that name. */
export const childrenOf = (element: Element | undefined, name: string): readonly Element[] =>
	element?.children.filter(child => child.name === name) ?? [];

/** Follows names downwards, each to the first element that has it. */
export const descend = (element: Element | undefined, ...names: readonly string[]): Element | undefined =>
	names.reduce<Element | undefined>((found, name) => childrenOf(found, name)[0], element);
