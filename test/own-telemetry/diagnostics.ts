import {diag} from '@opentelemetry/api';
import {globalErrorHandler} from '@opentelemetry/core';
import test from 'ava';
import {rateLimited, routeDiagnostics} from '../../src/own-telemetry/diagnostics.ts';

test.serial('a failure is one line without a stack', t => {
	const lines: string[] = [];
	routeDiagnostics(message => lines.push(message));
	diag.error('PeriodicReader: export failed', Object.assign(new Error('connect ECONNREFUSED'), {code: 'ECONNREFUSED'}));
	globalErrorHandler(Object.assign(new AggregateError([]), {code: 'ECONNREFUSED'}));
	globalErrorHandler(Object.assign(new Error('Unauthorized'), {code: 401}));
	diag.warn('first\n    at somewhere (file.ts:1)', {ignored: true}, undefined);
	diag.info('not said');
	t.deepEqual(lines, [
		'telemetry: PeriodicReader: export failed connect ECONNREFUSED',
		'telemetry: ECONNREFUSED',
		'telemetry: 401 Unauthorized',
		'telemetry: first',
	]);
	diag.disable();
});

test('the same message comes once in an interval, then with how many were left out', t => {
	const lines: string[] = [];
	let now = 0;
	const log = rateLimited(message => lines.push(message), {intervalMillis: 1000, now: () => now});
	for (now = 0; now < 1000; now += 100) log(`failed after ${now} ms`);
	log('other');
	log('failed after 7 ms');
	t.deepEqual(lines, ['failed after 0 ms', 'other', 'failed after 7 ms (and 9 more like it)']);
});

test('many different messages are not all kept', t => {
	let count = 0;
	const log = rateLimited(() => count++);
	const letters = (n: number) => String.fromCharCode(...[...String(n)].map(digit => 97 + Number(digit)));
	for (let n = 0; n < 1000; n++) log(letters(n));
	log(letters(999));
	t.is(count, 1000);
});
