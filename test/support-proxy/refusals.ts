import test from 'ava';
import fc from 'fast-check';
import {eventually} from '../helpers/listen.ts';
import {basic, connectRequest, exchangeWith, startEcho, startSupportProxy} from '../helpers/support-proxy.ts';

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);

test('only what is listed passes: by name and port, by address and port', async t => {
	const listed = await startEcho(t);
	const other = await startEcho(t);
	const zone = {'listed.example': ['127.0.0.1'], 'other.example': ['127.0.0.1']};
	const {port, decisions, dns} = await startSupportProxy(t, {listed: [{host: 'listed.example', port: listed.port}], zone});
	const ask = async (target: string) => statusOf(await exchangeWith(port, connectRequest(target), {until: '\r\n\r\n'}));
	t.is(await ask(`listed.example:${listed.port}`), 200);
	t.is(await ask(`LISTED.example.:${listed.port}`), 200);
	t.is(await ask(`127.0.0.1:${listed.port}`), 200, 'the address that the name has now');
	t.is(await ask(`[::ffff:127.0.0.1]:${listed.port}`), 200);
	t.is(listed.connections(), 4);
	for (const [target, decision] of [
		[`listed.example:${other.port}`, 'port'],
		[`other.example:${listed.port}`, 'not_listed'],
		[`127.0.0.1:${other.port}`, 'not_listed'],
		[`127.0.0.2:${listed.port}`, 'not_listed'],
		[`[::1]:${listed.port}`, 'not_listed'],
		[`localhost:${listed.port}`, 'not_listed'],
		['listed.example:80', 'port'],
	] as const) {
		t.is(await ask(target), 403, target);
		t.is(decisions.at(-1), decision, target);
	}
	for (const target of ['listed.example', '127.1:443', '0x7f000001:443', `user@listed.example:${listed.port}`, '*:443', ':443']) {
		const answer = statusOf(await exchangeWith(port, connectRequest(target)));
		t.true([400, 403].includes(answer), `${target}: ${answer}`);
	}
	t.is(listed.connections(), 4);
	t.is(other.connections(), 0);
	t.false(
		dns?.asked.some(question => question.includes('other.example')),
		'only listed names are looked up',
	);
});

test('a refusal says the rule and the way out', async t => {
	const {port} = await startSupportProxy(t);
	const answer = await exchangeWith(port, connectRequest('www.example.com:443'));
	t.regex(answer, /^HTTP\/1\.1 403 Forbidden\r\n/);
	t.regex(answer, /\r\nConnection: close\r\n/);
	t.regex(answer, /www\.example\.com port 443 is not a listed destination.*support-proxy show/);
});

for (const lie of [
	'127.0.0.1',
	'10.1.2.3',
	'169.254.169.254',
	'192.168.1.1',
	'::1',
	'fc00::1',
	'::ffff:10.0.0.1',
	'64:ff9b::a00:1',
]) {
	test(`a listed name that resolves to ${lie} leads nowhere`, async t => {
		const echo = await startEcho(t);
		const zone = {'listed.example': [lie]};
		const listed = [{host: 'listed.example', port: echo.port}];
		const {port, decisions} = await startSupportProxy(t, {
			listed,
			zone,
			allowLoopback: false,
			connections: [{direct: {family: 'any'}}],
		});
		// A busy machine may be late with the answer of its DNS server: asked again, as a client would.
		await eventually(async () => statusOf(await exchangeWith(port, connectRequest(`listed.example:${echo.port}`))) === 403);
		t.is(decisions.at(-1), 'ERR_NAME_MISLEADING');
		t.false(decisions.includes('allowed'));
		const address = lie.includes(':') ? `[${lie}]` : lie;
		t.is(statusOf(await exchangeWith(port, connectRequest(`${address}:${echo.port}`))), 403, 'nor by the address');
		t.is(echo.connections(), 0);
	});
}

test('an address of the private network passes when the operator has listed it', async t => {
	const echo = await startEcho(t);
	const zone = {'inner.example': ['127.0.0.1']};
	const listed = [{host: 'inner.example', port: echo.port, addresses: ['127.0.0.1']}];
	const {port} = await startSupportProxy(t, {listed, zone, allowLoopback: false});
	for (const target of ['inner.example', '127.0.0.1'])
		t.is(statusOf(await exchangeWith(port, connectRequest(`${target}:${echo.port}`), {until: '\r\n\r\n'})), 200, target);
});

test('who has no right password gets 407, and waits after ten wrong ones', async t => {
	const echo = await startEcho(t);
	const settings = {basic_auth: [{username: 'power', password: 'Schlüssel-1'}]};
	const {port, decisions, told, said} = await startSupportProxy(t, {settings, listed: [{host: '127.0.0.1', port: echo.port}]});
	const ask = (headers: readonly string[]) =>
		exchangeWith(port, connectRequest(`127.0.0.1:${echo.port}`, headers), {until: '\r\n\r\n'});
	t.regex(await ask([]), /^HTTP\/1\.1 407 [\s\S]*\r\nProxy-Authenticate: Basic realm=/);
	t.is(statusOf(await ask([basic('power', 'Schlüssel-1')])), 200);
	t.is(statusOf(await ask(['Proxy-Authorization: Bearer abc'])), 407);
	for (let wrong = 1; wrong < 10; wrong++) t.is(statusOf(await ask([basic('power', `guess-${wrong}`)])), 407);
	const waiting = await ask([basic('power', 'Schlüssel-1')]);
	t.is(statusOf(waiting), 429);
	t.regex(waiting, /\r\nRetry-After: 60\r\n/);
	t.deepEqual([...new Set(decisions)], ['unauthenticated', 'allowed', 'rate']);
	t.is(echo.connections(), 1);
	t.false(/Schl|guess|cG93/.test(JSON.stringify([told, said])), 'nothing of a password is told');
});

test('who is not among the clients is refused before a byte is read', async t => {
	const echo = await startEcho(t);
	const listed = [{host: '127.0.0.1', port: echo.port}];
	const {port, decisions} = await startSupportProxy(t, {listed, settings: {clients: ['192.0.2.0/24', '::1']}});
	t.regex(await exchangeWith(port, ''), /^HTTP\/1\.1 403 [\s\S]*127\.0\.0\.1 may not use this proxy/);
	t.deepEqual(decisions, ['client_not_allowed']);
	const allowed = await startSupportProxy(t, {listed, settings: {clients: ['127.0.0.0/8']}});
	t.is(statusOf(await exchangeWith(allowed.port, connectRequest(`127.0.0.1:${echo.port}`), {until: '\r\n\r\n'})), 200);
});

test('what is no request is refused, and what comes after a request is not read as another', async t => {
	const echo = await startEcho(t);
	const settings = {limits: {header_size: '2KiB'}};
	const {port, decisions} = await startSupportProxy(t, {settings, listed: [{host: '127.0.0.1', port: echo.port}]});
	const target = `127.0.0.1:${echo.port}`;
	const hostile: [text: string | Buffer, status: number, decision: string][] = [
		['GET / HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'malformed'],
		['GET http://x/ HTTP/1.1\r\n\r\n', 403, 'not_listed'],
		['hello\r\n\r\n', 400, 'malformed'],
		[Buffer.from('16030100c8010000c40303', 'hex'), 400, 'malformed'],
		['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'malformed'],
		[`GET http://x/ HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(4000)}\r\n\r\n`, 431, 'headers_too_large'],
		['POST http://www.ibm.com/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc', 403, 'upload_over_http'],
		['GET http://www.ibm.com/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc', 403, 'upload_over_http'],
		['GET http://www.ibm.com/x?serial=J1A2B3C HTTP/1.1\r\nHost: x\r\n\r\n', 403, 'upload_over_http'],
		[`GET http://www.ibm.com/${'x'.repeat(300)} HTTP/1.1\r\nHost: x\r\n\r\n`, 403, 'upload_over_http'],
		['GET http://www.ibm.com/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 403, 'upload_over_http'],
		['PUT http://www.ibm.com/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n', 403, 'upload_over_http'],
		['GET http://x/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n', 400, 'malformed'],
		['GET https://www.ibm.com/ HTTP/1.1\r\nHost: x\r\n\r\n', 403, 'not_listed'],
		['GET http://169.254.169.254/latest HTTP/1.1\r\nHost: www.ibm.com\r\n\r\n', 403, 'not_listed'],
		[`GET http://${target}/ HTTP/1.1\r\nHost: www.ibm.com\r\n\r\n`, 403, 'port'],
		[connectRequest(target, ['Content-Length: 5']), 400, 'malformed'],
		[connectRequest(target, ['Transfer-Encoding: chunked']), 400, 'malformed'],
		[`GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n${connectRequest(target)}`, 403, 'not_listed'],
	];
	for (const [text, status, decision] of hostile) {
		const before = decisions.length;
		const answer = await exchangeWith(port, text);
		// What is sent after the first request may reset the connection before its answer is read.
		if (answer !== '' || !String(text).includes('CONNECT')) t.is(statusOf(answer), status, String(text).slice(0, 80));
		t.deepEqual(decisions.slice(before), [decision], String(text).slice(0, 80));
	}
	t.is(echo.connections(), 0);
});

test('a header that does not come to its end is not waited for', async t => {
	const {port, decisions} = await startSupportProxy(t, {settings: {limits: {headers_timeout: '300ms'}}});
	for (const text of ['GET http://x/ HTTP/1.1\r\nHost: x\r\nX-Slow: ', '']) t.is(statusOf(await exchangeWith(port, text)), 408);
	t.deepEqual(decisions, ['headers_timeout', 'headers_timeout']);
});

test('whatever the request, nothing unlisted is let through', async t => {
	const trap = await startEcho(t);
	const listed = await startEcho(t);
	const {port, decisions, told, said} = await startSupportProxy(t, {
		listed: [{host: '127.0.0.1', port: listed.port}],
		settings: {limits: {headers_timeout: '2s'}},
	});
	const targets = [`127.0.0.1:${trap.port}`, `localhost:${trap.port}`, `[::ffff:127.0.0.1]:${trap.port}`, `[::1]:${trap.port}`];
	const noise = fc.oneof(
		fc.constantFrom(
			...targets,
			`127.0.0.1:${listed.port}@${targets[0]}`,
			`127.0.0.1:${listed.port} ${targets[0]}`,
			'\0',
			'\r',
			'%00',
		),
		fc.string({maxLength: 20}),
	);
	const words = fc.array(noise, {minLength: 1, maxLength: 3}).map(parts => parts.join(''));
	const request = fc
		.record({
			method: fc.constantFrom('CONNECT', 'GET', 'HEAD', 'connect', 'CONNECT\t', 'POST'),
			prefix: fc.constantFrom('', 'http://', 'https://', '//', 'http://127.0.0.1@'),
			target: words,
			version: fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/9.9', ''),
			headers: fc.array(fc.tuple(fc.constantFrom('Host', 'Proxy-Authorization', 'Content-Length', 'X', ''), words), {
				maxLength: 4,
			}),
		})
		.map(
			({method, prefix, target, version, headers}) =>
				`${method} ${prefix}${target} ${version}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
		);
	await fc.assert(
		fc.asyncProperty(request, async text => {
			const answer = await exchangeWith(port, text, {until: '\r\n\r\n', end: true});
			return !answer.startsWith('HTTP/1.1 200');
		}),
		{numRuns: 200},
	);
	t.is(trap.connections(), 0);
	t.false(decisions.includes('unexpected'), said.join('\n'));
	t.false(/\p{Cc}/u.test(told.map(({text}) => text).join('')), 'no control character reaches the activity log');
	t.is(
		statusOf(await exchangeWith(port, connectRequest(`127.0.0.1:${listed.port}`), {until: '\r\n\r\n'})),
		200,
		'it still works',
	);
	await eventually(() => decisions.includes('allowed'));
});
