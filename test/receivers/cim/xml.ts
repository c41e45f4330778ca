import test from 'ava';
import fc from 'fast-check';
import {isBridgeError} from '../../../src/errors.ts';
import {readExport} from '../../../src/receivers/cim/export-message.ts';
import {textOf} from '../../../src/receivers/cim/instance.ts';
import {escapeXml, parseXml} from '../../../src/receivers/cim/xml.ts';
import {indicationXml, memoryFault} from '../../helpers/cim.ts';

const messageIn = (bytes: Uint8Array): string => {
	const read = readExport(parseXml(bytes), 'ExportIndication');
	return 'indication' in read ? textOf(read.indication, 'message') : `no indication: ${read.text}`;
};
const inEncoding = (name: string, message: string) => indicationXml({Message: message}).replace('utf-8', name);
const refusal = (text: string | Uint8Array): string => {
	try {
		parseXml(Buffer.from(text));
	} catch (error) {
		if (isBridgeError(error, 'ERR_MALFORMED')) return error.message;
		throw error;
	}
	return 'it was taken';
};

test('a message is read in the encoding that it says, and in the one that it has', t => {
	const text = 'Lüfter "2" ausgefallen';
	const utf16 = Buffer.from(`\uFEFF${inEncoding('utf-16', text)}`, 'utf16le');
	const cases: Record<string, Buffer> = {
		'utf-8': Buffer.from(inEncoding('utf-8', text)),
		'utf-8 with a mark': Buffer.from(`\uFEFF${inEncoding('utf-8', text)}`),
		'latin-1': Buffer.from(inEncoding('ISO-8859-1', text), 'latin1'),
		'latin-1 declared as utf-8': Buffer.from(inEncoding('utf-8', text), 'latin1'),
		'utf-16le': utf16,
		'utf-16be': Buffer.from(utf16).swap16(),
		'utf-16 without a mark': utf16.subarray(2),
		'utf-16 declared and not used': Buffer.from(inEncoding('utf-16', text)),
	};
	for (const [name, bytes] of Object.entries(cases)) t.is(messageIn(bytes), text, name);
});

test('hostile documents are refused at once', t => {
	const bomb = '<!DOCTYPE CIM [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">]><CIM>&b;</CIM>';
	const start = performance.now();
	t.regex(refusal(bomb), /declares entities/);
	t.regex(refusal('<!DOCTYPE CIM [<!ENTITY x SYSTEM "file:///etc/passwd">]><CIM>&x;</CIM>'), /declares entities/);
	t.regex(refusal('<a>'.repeat(100_000)), /nested deeper/);
	t.regex(refusal(`<a>${'<b/>'.repeat(100_001)}</a>`), /more than 20000 tags/);
	t.regex(refusal(`<a b="${'x'.repeat(40_000)}"/>`), /a tag is longer/);
	t.regex(refusal('<!--'.repeat(100_000)), /ends in the middle/);
	t.regex(refusal(`<a ${'"'.repeat(99_999)}`), /ends in the middle/);
	t.regex(refusal('<a b="1" b="2"/>'), /b.*repeated/i);
	t.regex(refusal('<a><b></a></b>'), /XML:/);
	t.regex(refusal('<?xml version="1.0" encoding="x-unknown"?><a/>'), /encoding x-unknown is not known/);
	t.regex(refusal(''), /XML:/);
	t.true(performance.now() - start < 30_000);
});

test('entities are read once, and a name of JavaScript is a name like any other', t => {
	const element = parseXml(Buffer.from('<a b="&quot;&#x41;"><c>&amp;lt;&#65;&#0;&unknown;<![CDATA[&amp;<]]></c></a>'));
	t.is(element.attributes.get('b'), '"A');
	t.is(element.children[0]?.text, '&lt;A\uFFFD&unknown;&amp;<');
	const xml = indicationXml({constructor: 'x', __proto__x: 'y', Message: 'm'});
	t.is(messageIn(Buffer.from(xml)), 'm');
	for (const name of ['__proto__', 'constructor', 'prototype']) {
		const read = refusal(`<a><${name}>1</${name}></a>`);
		t.true(read === 'it was taken' || read.startsWith('XML:'), name);
	}
	t.is(({} as Record<string, unknown>)['1'], undefined);
});

test('every text comes back as it was written', t => {
	fc.assert(
		fc.property(fc.string({unit: 'binary', maxLength: 200}), text => {
			const element = parseXml(Buffer.from(`<a b="${escapeXml(text)}">${escapeXml(text)}</a>`));
			const expected = text.replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
			return (
				element.text === expected &&
				element.attributes.get('b')?.replaceAll(/[\t\n\r]/g, ' ') === expected.replaceAll(/[\t\n\r]/g, ' ')
			);
		}),
		{numRuns: 200},
	);
	t.pass();
});

test('whatever comes is read or refused, never more', t => {
	const whole = Buffer.from(indicationXml(memoryFault));
	const damaged = fc
		.tuple(fc.nat(whole.length), fc.uint8Array({maxLength: 12}), fc.nat(40))
		.map(([at, bytes, length]) => Buffer.concat([whole.subarray(0, at), bytes, whole.subarray(at + length)]));
	const pieces = fc.constantFrom(
		'<',
		'>',
		'/',
		'"',
		'<!--',
		'-->',
		'<![CDATA[',
		']]>',
		'<!DOCTYPE ',
		'[',
		'<?',
		'?>',
		'&',
		'&#',
		';',
		'a',
		'=',
		' ',
	);
	const soup = fc.array(pieces, {maxLength: 60}).map(parts => Buffer.from(parts.join('')));
	fc.assert(
		fc.property(fc.oneof(damaged, soup, fc.uint8Array({maxLength: 300})), bytes => {
			try {
				readExport(parseXml(bytes), 'ExportIndication');
			} catch (error) {
				if (!isBridgeError(error, 'ERR_MALFORMED')) throw error;
			}
		}),
		{numRuns: 300},
	);
	t.pass();
});
