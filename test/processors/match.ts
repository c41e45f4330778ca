import test from 'ava';
import fc from 'fast-check';
import {createMatcher} from '../../src/processors/match.ts';

const matches = (pattern: string | string[], text: string) => createMatcher({name: pattern})({name: text});

test('a pattern is text, with * for any number of characters', t => {
	t.true(matches('fan', 'fan'));
	t.false(matches('fan', 'fan2'));
	t.true(matches('fan*', 'fan'));
	t.true(matches('*fan*', 'the fan\nof two lines'));
	t.false(matches('a*ba', 'aba-'));
	t.false(matches('ab*ba', 'aba'), 'first and last part do not share a character');
	t.true(matches('a*b*c', 'a-b-b-c'));
	t.true(matches(['x', 'db*'], 'db01'));
	t.false(matches('a.c', 'abc'), 'what means something in expressions means itself');
});

test('an absent attribute, a list and an empty text match nothing, not even *', t => {
	const matcher = createMatcher({name: '*'});
	t.false(matcher({}));
	t.false(matcher({name: ['x']}));
	t.false(matcher({name: ''}));
	t.true(matcher({name: 5n}));
});

test('all patterns have to hold', t => {
	const matcher = createMatcher({one: 'a', other: 'b'});
	t.true(matcher({one: 'a', other: 'b'}));
	t.false(matcher({one: 'a'}));
});

test('any text between the parts matches, for all parts', t => {
	const part = fc.string({unit: fc.constantFrom('a', 'b', '.', '\\'), maxLength: 4});
	fc.assert(
		fc.property(fc.array(part, {minLength: 2, maxLength: 5}), fc.array(part, {minLength: 4, maxLength: 4}), (parts, between) => {
			const text = parts.map((one, index) => one + (index < parts.length - 1 ? (between[index] ?? '') : '')).join('');
			return text === '' || matches(parts.join('*'), text);
		}),
	);
	t.pass();
});

test('many stars over a long text take no longer than one', t => {
	const startedAt = performance.now();
	t.false(matches(`${'a*'.repeat(40)}b`, 'a'.repeat(200_000)));
	t.true(performance.now() - startedAt < 1000);
});
