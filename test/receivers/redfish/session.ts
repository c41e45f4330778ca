import {createHash, X509Certificate} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {redfishReceiverSchema} from '../../../src/receivers/redfish/config.ts';
import {createRedfishReceiver} from '../../../src/receivers/redfish/receiver.ts';
import {issue, makeAuthority} from '../../helpers/certificates.ts';
import {eventually, temporaryDirectory} from '../../helpers/listen.ts';
import {createRedfishService, machinePages} from '../../helpers/redfish-service.ts';
import {createSessions, type SessionRules} from '../../helpers/redfish-sessions.ts';
import {started, type Watched, watchSource} from '../../helpers/sources.ts';
import {listenTls} from '../../helpers/tls-server.ts';

const patience = {timeoutMillis: 30_000};
const authority = await makeAuthority('Redfish sessions');
const localhost = await issue(authority, {commonName: 'localhost', hosts: ['localhost']});
const pinOf = (certificate: string) =>
	createHash('sha256')
		.update(new X509Certificate(certificate).publicKey.export({type: 'spki', format: 'der'}))
		.digest('base64');

async function setUp(t: ExecutionContext, rules: SessionRules = {}, system: object = {}) {
	const sessions = createSessions(rules);
	const service = createRedfishService(machinePages(), {stream: false, push: false});
	const url = await listenTls(t, localhost, sessions.before(service.listener));
	const ca_file = join(await temporaryDirectory(t), 'ca.pem');
	await writeFile(ca_file, authority.certificate);
	const start = (watched: Watched, more: object = {}) => {
		const systems = [{url: url.origin, username: 'u', password: 'hidden-word', ca_file, ...system, ...more}];
		return started(t, createRedfishReceiver(redfishReceiverSchema.parse({systems, poll_interval: '100ms'}), watched.parts));
	};
	return {sessions, service, start, watched: watchSource()};
}

const looks = async ({readings}: Watched, count: number) => {
	const before = readings.length;
	await eventually(() => readings.length >= before + count, patience);
};

test('many looks check the password once, and the end of the bridge gives the session back', async t => {
	const {sessions, start, watched} = await setUp(t, {takesBasic: false});
	const receiver = await start(watched);
	await looks(watched, 3);
	t.like(sessions.seen, {logins: 1, basic: 0, refused: 0});
	t.is(sessions.open.size, 1);
	await receiver.shutdown();
	t.is(sessions.open.size, 0);
	t.notRegex(JSON.stringify([watched.said, watched.targets, [...watched.marks]]), /hidden-word|token-/);
});

test('a session that the module ended is opened again, and nobody hears of it', async t => {
	const {sessions, start, watched} = await setUp(t);
	await start(watched);
	await looks(watched, 1);
	sessions.open.clear();
	await looks(watched, 3);
	t.is(sessions.seen.logins, 2);
	t.deepEqual(
		watched.targets.map(({state}) => state),
		['working'],
	);
});

test('a password that was changed at the module is tried once with a session, also over a restart', async t => {
	const {sessions, start, watched} = await setUp(t);
	const receiver = await start(watched);
	await looks(watched, 1);
	sessions.changePassword('another-word');
	sessions.open.clear();
	await eventually(() => watched.targets.at(-1)?.state === 'stopped', patience);
	t.is(sessions.seen.refused, 1);
	await receiver.shutdown();
	const again = await start(watched);
	await eventually(() => watched.targets.at(-1)?.reason.includes('refused before'), patience);
	await again.shutdown();
	t.like(sessions.seen, {refused: 1, basic: 0});
	await start(watched, {password: 'another-word'});
	await looks(watched, 2);
	t.is(watched.targets.at(-1)?.state, 'working');
	t.is(sessions.seen.refused, 1);
});

test('a module without a free place for a session is read with the password', async t => {
	const {sessions, start, watched} = await setUp(t, {places: 0});
	await start(watched);
	await looks(watched, 3);
	t.is(sessions.seen.logins, 1);
	t.true(sessions.seen.basic > 0);
	t.true(watched.said.some(text => text.includes('opens no session (503)')));
});

test('login: session sends no password with a request, and says when there is no place', async t => {
	const {sessions, start, watched} = await setUp(t, {places: 0}, {login: 'session'});
	await start(watched);
	await eventually(() => watched.targets.length > 0, patience);
	t.like(watched.targets[0], {state: 'failing'});
	t.regex(watched.targets[0]?.reason ?? '', /opens no session \(503\), and login is session/);
	t.is(sessions.seen.basic, 0);
});

test('login: basic opens no session', async t => {
	const {sessions, start, watched} = await setUp(t, {}, {login: 'basic'});
	await start(watched);
	await looks(watched, 2);
	t.like(sessions.seen, {logins: 0, withToken: 0});
});

test('a session that a killed bridge left behind is ended by the next one', async t => {
	const {sessions, start, watched} = await setUp(t);
	await start(watched);
	await looks(watched, 1);
	const [left] = sessions.open.keys();
	await start(watched); // On the same marks: as after a kill, nobody has logged out.
	await eventually(() => !sessions.open.has(left ?? ''), patience);
	t.true(sessions.open.size >= 1);
});

test('a pinned key is trusted without an authority, and another key gets no password', async t => {
	const {sessions, start, watched} = await setUp(t, {}, {ca_file: undefined, pin: pinOf(localhost.certificate)});
	await start(watched);
	await looks(watched, 1);
	const {
		start: startOther,
		sessions: asked,
		watched: other,
	} = await setUp(t, {}, {ca_file: undefined, pin: pinOf(authority.certificate)});
	await startOther(other);
	await eventually(() => other.targets.length > 0, patience);
	t.regex(other.targets[0]?.reason ?? '', /another key than the pinned one: sha256\/\//);
	t.is(asked.seen.logins + asked.seen.basic, 0);
	t.is(sessions.seen.logins, 1);
});

test('a certificate that nobody vouches for names what to set', async t => {
	const {sessions, start, watched} = await setUp(t, {}, {ca_file: undefined});
	await start(watched);
	await eventually(() => watched.targets.length > 0, patience);
	t.regex(watched.targets[0]?.reason ?? '', /set ca_file or pin/);
	t.is(sessions.seen.logins + sessions.seen.basic, 0);
});
