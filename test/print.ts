import test from 'ava';
import {printableJson} from '../src/cli/print.ts';

test('JSON that is shown steers no terminal, and says the same', t => {
	const value = {id: 'a\u009b31m\u202eb\u{e0001}\u007f', rows: [1, 'ä\u2028']};
	const shown = printableJson(JSON.stringify(value, undefined, 2));
	t.deepEqual(JSON.parse(shown), value);
	t.notRegex(shown.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
	t.true(shown.includes('ä'));
});
