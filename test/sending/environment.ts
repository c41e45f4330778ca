import {inspect} from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import {BridgeError} from '../../src/errors.ts';
import {createEnvironmentCandidates} from '../../src/sending/environment.ts';
import {written} from '../helpers/pac.ts';

const signal = new AbortController().signal;
const ask = (environment: NodeJS.ProcessEnv, allowDirect = false, host = 'esupport.ibm.com', port = 443) =>
	createEnvironmentCandidates(allowDirect, environment)({host, port}, signal);

for (const [what, environment, expected] of [
	['HTTPS_PROXY', {HTTPS_PROXY: 'http://p.example:3128'}, 'http p.example:3128'],
	[
		'https_proxy before HTTPS_PROXY',
		{HTTPS_PROXY: 'http://no.example', https_proxy: 'http://p.example:3128'},
		'http p.example:3128',
	],
	['HTTPS_PROXY before all_proxy', {all_proxy: 'socks5://no.example', HTTPS_PROXY: 'https://p.example'}, 'https p.example:443'],
	['ALL_PROXY', {ALL_PROXY: 'socks5h://p.example'}, 'socks5 p.example:1080'],
	['HTTPS_PROXY without a scheme', {HTTPS_PROXY: 'p.example:3128'}, 'http p.example:3128'],
	['ALL_PROXY where HTTPS_PROXY is empty', {HTTPS_PROXY: '', ALL_PROXY: 'http://p.example:1'}, 'http p.example:1'],
] as const) {
	test(`${what} names the proxy`, async t => {
		t.deepEqual(written(await ask(environment)), [expected]);
	});
}

test('HTTP_PROXY is not for what goes over HTTPS', async t => {
	await t.throwsAsync(ask({HTTP_PROXY: 'http://p.example', http_proxy: 'http://p.example'}), {
		code: 'ERR_NOT_CONFIGURED',
		message: /^The environment names no proxy: set HTTPS_PROXY or ALL_PROXY .*, or use proxy: \{url: …\}\.$/,
	});
});

for (const [noProxy, host, excepted] of [
	['esupport.ibm.com', 'esupport.ibm.com', true],
	['ESUPPORT.IBM.COM', 'esupport.ibm.com', true],
	['.ibm.com', 'esupport.ibm.com', true],
	['*.ibm.com', 'esupport.ibm.com', true],
	['a.example, .ibm.com b.example', 'esupport.ibm.com', true],
	['*', 'esupport.ibm.com', true],
	['esupport.ibm.com:443', 'esupport.ibm.com', true],
	['esupport.ibm.com:8443', 'esupport.ibm.com', false],
	['support.ibm.com', 'esupport.ibm.com', false],
	['ibm.com.example', 'esupport.ibm.com', false],
	['', 'esupport.ibm.com', false],
	['192.0.2.7', '192.0.2.7', true],
	['192.0.2.7', '192.0.2.70', false],
] as const) {
	test(`NO_PROXY "${noProxy}" ${excepted ? 'excepts' : 'does not except'} ${host}`, async t => {
		const environment = {HTTPS_PROXY: 'http://p.example:3128', NO_PROXY: noProxy};
		if (!excepted) {
			t.deepEqual(written(await ask(environment, false, host)), ['http p.example:3128']);
			return;
		}
		t.deepEqual(await ask(environment, true, host), ['direct']);
		const error = await t.throwsAsync(ask(environment, false, host), {instanceOf: BridgeError});
		t.is(error.code, 'ERR_NOT_CONFIGURED');
		t.regex(error.message, /^NO_PROXY excepts .*: take it out there, or set allow_direct: true to go there directly\.$/);
	});
}

test('without a proxy it goes straight there only where that is allowed', async t => {
	t.deepEqual(await ask({}, true), ['direct']);
	await t.throwsAsync(ask({}), {code: 'ERR_NOT_CONFIGURED'});
});

test('the environment is read anew each time, and left as it is', async t => {
	const environment: NodeJS.ProcessEnv = {HTTPS_PROXY: 'http://one.example:1', NO_PROXY: 'x.example'};
	const usual = process.env;
	const candidates = createEnvironmentCandidates(false, environment);
	const now = async () => written(await candidates({host: 'a.example', port: 443}, signal));
	t.deepEqual(await now(), ['http one.example:1']);
	environment.HTTPS_PROXY = 'http://two.example:2';
	t.deepEqual(await now(), ['http two.example:2']);
	t.is(process.env, usual);
	t.deepEqual(environment, {HTTPS_PROXY: 'http://two.example:2', NO_PROXY: 'x.example'});
});

test('a variable that is no URL of a proxy is named, and what stands in it is not', async t => {
	const jumble = fc.array(fc.oneof(fc.constantFrom('@', ':', '/', '%', '#', '[', ' ', '://'), fc.string({maxLength: 5})), {
		maxLength: 6,
	});
	const property = fc.asyncProperty(jumble, jumble, async (before, after) => {
		const value = `${before.join('')}Zx9hunter2Zx9${after.join('')}@proxy.example:0`;
		const error = await ask({HTTPS_PROXY: value}).then(
			() => undefined,
			(thrown: BridgeError) => thrown,
		);
		if (!error) return;
		t.is(error.code, 'ERR_NOT_CONFIGURED');
		t.true(error.message.startsWith('The environment variable HTTPS_PROXY '), error.message);
		t.false(inspect(error, {depth: 9, showHidden: true}).includes('Zx9hunter2'), value);
	});
	await t.notThrowsAsync(() => fc.assert(property));
});
