import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {cimReceiverSchema} from '../../../src/receivers/cim/config.ts';
import {createRegistrar} from '../../../src/receivers/cim/registrar.ts';
import {issue, makeAuthority} from '../../helpers/certificates.ts';
import {type CimServerOptions, startCimServer} from '../../helpers/cim-server.ts';
import {freePort, temporaryDirectory} from '../../helpers/listen.ts';
import {type Watched, watchSource} from '../../helpers/sources.ts';

const destination = 'http://192.0.2.1:5990/cim/x';

async function secured(t: ExecutionContext, options: CimServerOptions = {}) {
	const authority = await makeAuthority('IMM CA');
	const tls = await issue(authority, {commonName: 'imm', hosts: ['127.0.0.1']});
	const file = join(await temporaryDirectory(t), 'ca.pem');
	await writeFile(file, authority.certificate);
	return {server: await startCimServer(t, {...options, tls}), ca_file: file};
}

/** A registrar whose checks the test makes itself. */
function registrarFor(watched: Watched, system: object, settings: object = {}, now = Date.now) {
	const systems = [{host: '127.0.0.1', username: 'USERID', password: 'PASSW0RD', ...system}];
	const config = cimReceiverSchema.parse({systems, request_timeout: '20s', ...settings});
	const registrar = createRegistrar(config, {...watched.parts, now}, 'a1b2');
	const [only] = config.systems;
	if (!only) throw new Error('there is no system');
	return (url = destination) => registrar.check({system: only, destination: url});
}

test('5989 is up: the subscription is made over HTTPS, and 5988 is never touched', async t => {
	const {server, ca_file} = await secured(t);
	const plain = await startCimServer(t);
	const watched = watchSource();
	const check = registrarFor(watched, {port: server.port, http_port: plain.port, allow_http: true, ca_file});
	t.true(await check());
	t.deepEqual(watched.targets.at(-1), {source: 'cim', target: '127.0.0.1', state: 'working', reason: ''});
	t.deepEqual([server.destinations().length, server.filters().length, server.subscriptions().length], [1, 1, 1]);
	t.is(server.destinations()[0]?.text.get('Destination'), destination);
	t.is(server.destinations()[0]?.text.get('SystemName'), 'imm.example');
	t.is(server.filters()[0]?.text.get('Query'), 'SELECT * FROM CIM_AlertIndication');
	t.is(server.subscriptions()[0]?.text.get('OnFatalErrorPolicy'), '2');
	t.is(plain.connections(), 0);
});

test('5989 is down: 5988 only with allow_http, and then it is said', async t => {
	const plain = await startCimServer(t);
	const closed = await freePort();
	const strict = watchSource();
	t.false(await registrarFor(strict, {port: closed, http_port: plain.port})());
	t.is(plain.connections(), 0);
	t.regex(strict.targets.at(-1)?.reason ?? '', /not tried without allow_http/);
	const lenient = watchSource();
	t.true(await registrarFor(lenient, {port: closed, http_port: plain.port, allow_http: true})());
	t.is(plain.subscriptions().length, 1);
	t.true(lenient.said.some(text => /^warn .*HTTPS is not available.*plain HTTP/.test(text)));
	t.is(lenient.targets.at(-1)?.state, 'working');
});

test('a server that speaks no TLS at 5989 is not HTTPS either', async t => {
	const plain = await startCimServer(t);
	const watched = watchSource();
	t.true(await registrarFor(watched, {port: plain.port, http_port: plain.port, allow_http: true})());
	t.is(plain.subscriptions().length, 1);
});

test('both are down: the error names both', async t => {
	const watched = watchSource();
	t.false(await registrarFor(watched, {port: await freePort(), http_port: await freePort(), allow_http: true})());
	t.like(watched.targets.at(-1), {state: 'failing'});
	t.regex(watched.targets.at(-1)?.reason ?? '', /over HTTPS: .*ECONNREFUSED.*; over HTTP: .*ECONNREFUSED/);
});

test('a certificate that nobody vouches for is no reason for plain HTTP, and a pin takes it', async t => {
	const {server} = await secured(t);
	const plain = await startCimServer(t);
	const watched = watchSource();
	const ports = {port: server.port, http_port: plain.port, allow_http: true};
	t.false(await registrarFor(watched, ports)());
	t.regex(watched.targets.at(-1)?.reason ?? '', /set ca_file or pin/);
	t.false(await registrarFor(watched, {...ports, pin: `${'A'.repeat(43)}=`})());
	const [, pin = ''] = /shows another key.*sha256\/\/(\S+)/.exec(watched.targets.at(-1)?.reason ?? '') ?? [];
	t.deepEqual([server.state.requests.length, server.state.refusedLogins, plain.connections()], [0, 0, 0]);
	t.true(await registrarFor(watched, {...ports, pin})());
	t.is(server.subscriptions().length, 1);
});

test('what is there is adopted, what is gone is made again, what is disabled is replaced', async t => {
	const {server, ca_file} = await secured(t);
	const check = registrarFor(watchSource(), {port: server.port, ca_file});
	await check();
	const names = server.instances.map(({name}) => name);
	t.true(await registrarFor(watchSource(), {port: server.port, ca_file})());
	t.deepEqual(
		server.instances.map(({name}) => name),
		names,
	);
	t.is(server.state.requests.filter(method => method === 'CreateInstance').length, 3);
	server.forget('CIM_IndicationSubscription');
	await check();
	t.is(server.subscriptions().length, 1);
	server.subscriptions()[0]?.text.set('SubscriptionState', '4');
	await check();
	t.deepEqual(
		server.subscriptions().map(({text}) => text.get('SubscriptionState')),
		['2'],
	);
});

test('a new destination replaces the old one, and what belongs to others stays', async t => {
	const {server, ca_file} = await secured(t);
	const check = registrarFor(watchSource(), {port: server.port, ca_file});
	await check('http://192.0.2.1:5990/old');
	const [first] = server.destinations();
	if (!first) throw new Error('there is no destination');
	const foreign = {...first, name: first.name.replaceAll('callhome:a1b2:', 'callhome:other:')};
	server.instances.push(foreign);
	await check();
	t.deepEqual(
		server
			.destinations()
			.map(({text}) => text.get('Destination'))
			.sort(),
		[destination, 'http://192.0.2.1:5990/old'].sort(),
	);
	t.true(server.instances.includes(foreign));
	t.false(server.instances.includes(first));
	t.is(server.subscriptions().length, 1);
});

test('a refused login is tried once, also after a restart, until the pause is over or the login is another', async t => {
	const {server, ca_file} = await secured(t);
	const watched = watchSource();
	let time = 1_800_000_000_000;
	const system = {port: server.port, ca_file, password: 'wrong-hunter2'};
	const check = registrarFor(watched, system, {}, () => time);
	for (let attempt = 0; attempt < 3; attempt++) await check();
	for (let attempt = 0; attempt < 3; attempt++) await registrarFor(watched, system, {}, () => time)();
	t.is(server.state.refusedLogins, 1);
	t.like(watched.targets.at(-1), {state: 'stopped'});
	t.notRegex(JSON.stringify([watched.targets, watched.said, ...watched.marks]), /hunter2/);
	time += 25 * 3_600_000;
	await check();
	await check();
	t.is(server.state.refusedLogins, 2);
	t.true(await registrarFor(watched, {...system, password: 'PASSW0RD'}, {}, () => time)());
	t.like(watched.targets.at(-1), {state: 'working'});
	t.is(server.state.refusedLogins, 2);
});

test('odd firmware: another namespace, another query language, no policy', async t => {
	const odd = {namespace: 'root/PG_InterOp', languages: ['DMTF:CQL'], refusesPolicy: true};
	const {server, ca_file} = await secured(t, odd);
	const watched = watchSource();
	t.true(await registrarFor(watched, {port: server.port, ca_file})());
	t.is(server.filters()[0]?.text.get('QueryLanguage'), 'DMTF:CQL');
	t.is(server.subscriptions().length, 1);
});

test('a module that takes no further subscription is for a person', async t => {
	const {server, ca_file} = await secured(t, {mostSubscriptions: 0});
	const watched = watchSource();
	await registrarFor(watched, {port: server.port, ca_file})();
	t.like(watched.targets.at(-1), {state: 'stopped'});
	t.regex(watched.targets.at(-1)?.reason ?? '', /takes no further subscription.*too many subscriptions/);
});

test('a slow module is waited for, and one slower than that is not', async t => {
	const {server, ca_file} = await secured(t, {delayMillis: 300});
	t.true(await registrarFor(watchSource(), {port: server.port, ca_file})());
	server.state.delayMillis = 3000;
	const watched = watchSource();
	t.false(await registrarFor(watched, {port: server.port, ca_file}, {request_timeout: '500ms'})());
	t.regex(watched.targets.at(-1)?.reason ?? '', /did not answer in time/);
});

test('subscribe: false removes what this bridge left at the module, and nothing of others', async t => {
	const {server, ca_file} = await secured(t);
	const watched = watchSource();
	await registrarFor(watched, {port: server.port, ca_file})();
	const foreign = [...server.destinations(), ...server.filters()].map(instance => ({
		...instance,
		name: instance.name.replace('callhome:a1b2:', 'callhome:other:'),
	}));
	server.instances.push(...foreign);
	const leave = registrarFor(watched, {port: server.port, ca_file, subscribe: false});
	t.true(await leave());
	t.deepEqual([...server.destinations(), ...server.filters(), ...server.subscriptions()], foreign);
	t.like(watched.targets.at(-1), {state: 'absent'});
	t.true(await leave());
	t.is(server.state.requests.filter(method => method === 'DeleteInstance').length, 3);
});

test('a system that was taken out of the configuration is named until its subscription is gone, for 30 days', async t => {
	const {server, ca_file} = await secured(t);
	const watched = watchSource();
	let time = 1_800_000_000_000;
	const settings = {destination_url: 'http://192.0.2.1:5990'};
	const here = {port: server.port, ca_file};
	await registrarFor(watched, here, settings, () => time)();
	const restart = async (...systems: object[]) => {
		const said = watched.targets.length;
		const whole = systems.map(system => ({host: '127.0.0.1', username: 'USERID', password: 'PASSW0RD', ...system}));
		const config = cimReceiverSchema.parse({...settings, systems: whole});
		const registrar = createRegistrar(config, {...watched.parts, now: () => time}, 'a1b2');
		await registrar.start([]);
		await registrar.shutdown();
		return watched.targets.slice(said).map(({target, reason}) => `${target} ${/subscribe: false/.test(reason)}`);
	};
	const named = [`127.0.0.1:${server.port} true`];
	t.deepEqual(await restart(here), []);
	t.deepEqual(await restart(), named);
	time += 29 * 86_400_000;
	t.deepEqual(await restart(), named);
	t.deepEqual(await restart(here), [], 'it is back');
	t.deepEqual(await restart(), named);
	time += 31 * 86_400_000;
	t.deepEqual(await restart(), []);
	await registrarFor(watched, here, settings, () => time)();
	await registrarFor(watched, {...here, subscribe: false}, settings, () => time)();
	t.deepEqual(await restart(), []);
});
