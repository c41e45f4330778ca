import test from 'ava';
import {errorCodes} from '../../src/errors.ts';
import {resultOfWalk} from '../../src/sending/walked.ts';
import {failed, passed} from '../helpers/scripted-walks.ts';

test('a walk to the end is an answer, and one that was not begun is nothing', t => {
	t.deepEqual(resultOfWalk([passed('tls', 'a:443'), passed('http', 'a:443')]), {ok: true});
	t.is(resultOfWalk([]), undefined);
	t.deepEqual(
		resultOfWalk([failed('connection', 'a:443', 'ERR_CONNECTION_TIMEOUT', 'no'), passed('connection', 'b:443')]),
		{ok: true},
		'the last stage decides: the next of several proxies led on',
	);
});

test('a failure has the words of an attempt that fails in the same way, and speaks for its own path alone', t => {
	const proxyGone = failed('connection', 'p:3128', 'ERR_PROXY_BUSY', 'The proxy is busy.');
	t.deepEqual(resultOfWalk([proxyGone]), {
		ok: false,
		errorType: 'ERR_PROXY_BUSY',
		reason: 'The proxy is busy.',
		everywhere: false,
	});
	t.like(resultOfWalk([failed('http', 'a:443', 'ERR_REPLY_TIMEOUT', 'late')]), {ok: false, uncertain: true});
	for (const code of errorCodes) t.not(resultOfWalk([failed('http', 'a:443', code, 'x')])?.everywhere, true, code);
});
