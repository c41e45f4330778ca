import {existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import test from 'ava';
import {BridgeError} from '../../src/errors.ts';
import {stateFiles} from '../../src/updates/state.ts';
import {day, hour, noon} from '../helpers/decisions.ts';
import {eventually, temporaryDirectory} from '../helpers/listen.ts';
import {
	fanRule,
	fetchers,
	makeKeyPair,
	manifestOf,
	openUpdates,
	serverList,
	startUpdateServer,
	timeOf,
} from '../helpers/update-server.ts';

const pair = makeKeyPair();

test('a signed manifest changes the destinations, and a restart keeps them without asking', async t => {
	const server = await startUpdateServer(t);
	const first = await openUpdates(t, server, {pairs: [pair]});
	server.publish(manifestOf(1, {destinations: serverList('one.example')}), pair);
	t.like(await first.updates.check(), {outcome: 'accepted', origin: 'https', serial: 1, troubles: []});
	t.like(await first.updates.check(), {outcome: 'nothing_new', serial: 1});
	server.publish(manifestOf(2, {destinations: serverList('two.example')}), pair);
	await first.updates.check();
	t.deepEqual(
		first.handedOn.map(({destinations}) => destinations.problem_reporting?.[0]?.host),
		['one.example', 'two.example'],
	);
	t.deepEqual(first.words(), ['update_accepted', 'update_accepted']);
	t.regex(first.notes[1]?.text ?? '', /manifest 2 .* over https: problem_reporting \+two\.example:443 -one\.example:443$/);
	t.deepEqual(server.asked.slice(0, 2), ['GET /callhome-updates.json', 'GET /callhome-updates.json.sig']);

	const asked = server.asked.length;
	const second = await openUpdates(t, server, {pairs: [pair], directory: first.directory});
	await second.updates.start();
	t.like(second.handedOn, [{serial: 2}]);
	t.deepEqual(second.words(), [], 'what was told is not told again');
	t.is(server.asked.length, asked);
});

test('a newer manifest that a command accepts while the bridge still fetches an older one is not undone', async t => {
	const server = await startUpdateServer(t);
	const command = await openUpdates(t, server, {pairs: [pair]});
	let overtaken = false;
	const https: typeof fetchers.https = async (url, options) => {
		const bytes = await fetchers.https(url, options);
		if (!url.pathname.endsWith('.sig') || overtaken) return bytes;
		overtaken = true;
		server.publish(manifestOf(3, {destinations: serverList('three.example')}), pair);
		t.like(await command.updates.check(), {outcome: 'accepted', serial: 3});
		return bytes;
	};
	const bridge = await openUpdates(t, server, {pairs: [pair], directory: command.directory, parts: {https}});
	server.publish(manifestOf(2, {destinations: serverList('two.example')}), pair);
	t.like(await bridge.updates.check(), {outcome: 'nothing_new', serial: 2});
	const later = await openUpdates(t, server, {pairs: [pair], directory: command.directory});
	await later.updates.start();
	t.like(later.handedOn, [{serial: 3}]);
	await bridge.updates.check();
	t.like(bridge.handedOn, [{serial: 3}]);
});

test('what is refused changes nothing, and is said once with its reason', async t => {
	const server = await startUpdateServer(t);
	const {updates, clock, notes, handedOn} = await openUpdates(t, server, {pairs: [pair]});
	server.publish(manifestOf(5, {expires_at: timeOf(noon + day)}), pair);
	await updates.check();
	for (const [publish, message] of [
		[() => server.publish(manifestOf(4), pair), /manifest 4 is older than 5/],
		[() => server.publish(manifestOf(5, {destinations: serverList('x.example')}), pair), /manifest 5 is not the one/],
		[() => server.publish(manifestOf(6), makeKeyPair()), /not signed by a configured key/],
		[() => server.files.set('/callhome-updates.json.sig', Buffer.from('junk')), /not signed by a configured key/],
		[() => server.publish(manifestOf(5, {expires_at: timeOf(noon + day)}), pair), /manifest 5 expired/],
	] as const) {
		publish();
		if (message.source.includes('expired')) clock.now = noon + day;
		const check = await updates.check();
		t.is(check.outcome, 'refused', String(message));
		t.is(check.troubles[0]?.code, 'ERR_SIGNATURE');
		t.regex(check.troubles[0]?.text ?? '', message);
		await updates.check();
	}
	t.is(handedOn.length, 1);
	t.is(updates.accepted()?.manifest.serial, 5);
	t.deepEqual(
		notes.map(({level, word}) => `${level} ${word}`),
		['info update_accepted', ...Array(4).fill('error update_refused')],
	);
	server.publish(manifestOf(6), pair);
	await updates.check();
	t.deepEqual(
		notes.slice(-2).map(({word}) => word),
		['update_accepted', 'update_recovered'],
	);
});

test('what was accepted does not count any more once its key is taken out, nor when its bytes were changed', async t => {
	const server = await startUpdateServer(t);
	server.publish(manifestOf(9, {destinations: serverList('one.example')}), pair);
	const first = await openUpdates(t, server, {pairs: [pair]});
	await first.updates.check();
	const next = makeKeyPair();
	server.publish(manifestOf(2, {destinations: serverList('two.example')}), next);
	const second = await openUpdates(t, server, {pairs: [next], directory: first.directory});
	await second.updates.start();
	await eventually(() => second.updates.accepted());
	t.like(second.handedOn, [{serial: 2}]);
	await eventually(() => second.words().includes('update_state_lost'));

	const file = join(first.directory, 'updates/accepted.json');
	const kept = JSON.parse(readFileSync(file, 'utf8'));
	const changed = Buffer.from(kept.manifest, 'base64').toString().replace('two.example', 'bad.example');
	for (const damage of [JSON.stringify({...kept, manifest: Buffer.from(changed).toString('base64')}), '{', '[]', '']) {
		writeFileSync(file, damage);
		const third = await openUpdates(t, server, {pairs: [next], directory: first.directory});
		await third.updates.start();
		t.false(JSON.stringify(third.handedOn).includes('bad.example'));
		await eventually(() => third.updates.accepted());
		await third.updates.shutdown();
	}

	writeFileSync(file, ' '.repeat(1024 ** 2 + 1));
	const last = await openUpdates(t, server, {pairs: [next], directory: first.directory});
	const {troubles} = await last.updates.check();
	t.like(troubles, [{word: 'update_state_lost'}], 'what is too large to be read is no state, and is said');
});

test('rules and a program are fetched, verified, kept for the operator and offered', async t => {
	const server = await startUpdateServer(t);
	const {updates, directory, clock} = await openUpdates(t, server, {pairs: [pair]});
	const rules = server.offer('/rules.yaml', '3', fanRule);
	const program = server.offer('/callhome-0.2.0.tgz', '0.2.0', 'a package');
	server.publish(manifestOf(1, {rules, program}), pair);
	t.deepEqual((await updates.check()).troubles, []);
	const file = (name: string) => join(directory, 'updates', name);
	t.deepEqual(updates.waiting(), [
		{kind: 'rules', version: '3', file: file('rules-3.yaml'), size: fanRule.length},
		{kind: 'program', version: '0.2.0', file: file('program-0.2.0.tgz'), size: 9},
	]);
	t.is(statSync(file('rules-3.yaml')).mode & 0o777, 0o600);
	t.is(readFileSync(file('program-0.2.0.tgz'), 'utf8'), 'a package');
	t.false(existsSync(join(directory, 'rules.yaml')), 'nothing is installed by itself');

	const asked = server.asked.length;
	await updates.check();
	t.is(server.asked.length, asked + 2, 'what is here is not fetched again');

	server.publish(manifestOf(2, {rules: server.offer('/rules.yaml', '4', `${fanRule}${fanRule}`), program}), pair);
	await updates.check();
	t.deepEqual(
		updates.waiting().map(({version}) => version),
		['4', '0.2.0'],
	);
	t.false(existsSync(file('rules-3.yaml')), 'the older one is gone');

	server.publish(manifestOf(3), pair);
	await updates.check();
	t.deepEqual(updates.waiting(), []);
	t.deepEqual(readdirSync(join(directory, 'updates')).sort(), ['accepted.json', 'check.json', 'noted.json']);
	server.publish(manifestOf(4, {rules, expires_at: timeOf(noon + hour)}), pair);
	await updates.check();
	clock.now = noon + hour;
	t.deepEqual(updates.waiting(), [], 'an expired manifest offers nothing');
});

test('a file that is damaged or missing at the start is fetched again at once', async t => {
	const server = await startUpdateServer(t);
	const first = await openUpdates(t, server, {pairs: [pair]});
	server.publish(manifestOf(1, {rules: server.offer('/rules.yaml', '3', fanRule)}), pair);
	await first.updates.check();
	const file = join(first.directory, 'updates/rules-3.yaml');
	writeFileSync(file, fanRule.replace('fan', 'cpu'));
	const second = await openUpdates(t, server, {pairs: [pair], directory: first.directory});
	await second.updates.start();
	t.deepEqual(second.updates.waiting(), []);
	await eventually(() => second.updates.waiting().length === 1);
	t.is(readFileSync(file, 'utf8'), fanRule);
});

test('a program as old as the one that runs, or older, is no offer', async t => {
	const server = await startUpdateServer(t);
	for (const [runningVersion, isOffered] of [
		['0.2.0', false],
		['0.10.0', false],
		['0.2.0-rc.1', true],
		['unknown', true],
	] as const) {
		const {updates} = await openUpdates(t, server, {pairs: [pair], runningVersion});
		server.publish(manifestOf(1, {program: server.offer('/p.tgz', '0.2.0', 'package')}), pair);
		await updates.check();
		t.is(updates.waiting().length, isOffered ? 1 : 0, runningVersion);
	}
});

test('a download that is not what was signed, too large or no list of rules is not kept', async t => {
	const server = await startUpdateServer(t);
	const {updates, directory} = await openUpdates(t, server, {pairs: [pair], config: {max_program_size: 20}});
	const rules = server.offer('/rules.yaml', '3', fanRule);
	const cases: [offer: Record<string, unknown>, code: string, message: RegExp][] = [
		[{rules: {...rules, sha256: 'a'.repeat(64)}}, 'ERR_SIGNATURE', /rules 3 is not what the signed manifest names/],
		[{rules: {...rules, size: rules.size + 1}}, 'ERR_SIGNATURE', /rules 3 is not what/],
		[{rules: {...rules, size: rules.size - 1}}, 'ERR_TOO_LARGE', /larger than/],
		[
			{rules: server.offer('/bad.yaml', '4', '- match: {}\n  verdict: perhaps\n')},
			'ERR_MALFORMED',
			/rules 4 cannot be used: rule 1 verdict/,
		],
		[{rules: {...rules, url: new URL('/gone', server.url).href}}, 'ERR_NOT_FOUND', /404/],
		[{program: server.offer('/p.tgz', '0.2.0', 'p'.repeat(21))}, 'ERR_TOO_LARGE', /max_program_size/],
	];
	for (const [index, [offer, code, message]] of cases.entries()) {
		server.publish(manifestOf(index + 1, offer), pair);
		const {outcome, troubles} = await updates.check();
		t.is(outcome, 'accepted');
		t.like(troubles, [{word: 'update_not_staged', code}]);
		t.regex(troubles[0]?.text ?? '', message);
		t.deepEqual(updates.waiting(), []);
	}
	t.deepEqual(
		readdirSync(join(directory, 'updates')).filter(name => !name.endsWith('.json')),
		[],
	);
});

test('what a killed process left unfinished goes at the start; what another one is writing stays', async t => {
	const server = await startUpdateServer(t);
	const directory = await temporaryDirectory(t);
	mkdirSync(join(directory, 'updates'));
	const part = (pid: number) => `rules-3.yaml.${pid}.01234567-89ab-cdef-0123-456789abcdef.part`;
	for (const pid of [2 ** 22 + 1, process.pid, process.ppid]) writeFileSync(join(directory, 'updates', part(pid)), 'half');
	const {updates} = await openUpdates(t, server, {pairs: [pair], directory});
	await updates.start();
	t.deepEqual(readdirSync(join(directory, 'updates')), [part(process.ppid)]);
});

test('a full disk: the manifest is not in force as long as it cannot be kept, and the bridge starts all the same', async t => {
	const server = await startUpdateServer(t);
	server.publish(manifestOf(1, {destinations: serverList('one.example')}), pair);
	const directory = await temporaryDirectory(t);
	let isFull = true;
	const {readState, writeState} = stateFiles(directory);
	const full = () => Promise.reject(new BridgeError('ERR_STORE_FULL', 'no space'));
	const parts = {readState, writeState: (...given: Parameters<typeof writeState>) => (isFull ? full() : writeState(...given))};
	const {updates, handedOn, words} = await openUpdates(t, server, {pairs: [pair], directory, parts, random: () => 0});
	await updates.start();
	await eventually(() => words().includes('update_check_failed'));
	await t.throwsAsync(updates.check(), {code: 'ERR_STORE_FULL'});
	t.deepEqual(handedOn, []);
	isFull = false;
	t.is((await updates.check()).outcome, 'accepted');
	t.is(handedOn.length, 1);
});

test('a directory that takes no files is named, and the next check tries again', async t => {
	const server = await startUpdateServer(t);
	const {updates, directory} = await openUpdates(t, server, {pairs: [pair]});
	server.publish(manifestOf(1, {rules: server.offer('/rules.yaml', '3', fanRule)}), pair);
	mkdirSync(join(directory, 'updates/rules-3.yaml'), {recursive: true}); // Nothing can be renamed to it.
	t.like((await updates.check()).troubles, [{word: 'update_not_staged', code: 'ERR_STORE_FULL'}]);
	t.deepEqual(
		readdirSync(join(directory, 'updates')).filter(name => name.endsWith('.part')),
		[],
	);
});

test('a bridge and a command share a directory: what the command accepted is in force at the next check, and told once', async t => {
	const server = await startUpdateServer(t);
	server.publish(manifestOf(1, {destinations: serverList('one.example')}), pair);
	const bridge = await openUpdates(t, server, {pairs: [pair]});
	const command = await openUpdates(t, server, {pairs: [pair], directory: bridge.directory});
	await bridge.updates.check();
	server.publish(manifestOf(2, {destinations: serverList('two.example'), rules: server.offer('/r', '3', fanRule)}), pair);
	await Promise.all([bridge.updates.check(), command.updates.check(), bridge.updates.check()]);
	await bridge.updates.check();
	t.like(bridge.handedOn, [{serial: 1}, {serial: 2}]);
	t.is(bridge.updates.waiting().length, 1);
	t.deepEqual(
		readdirSync(join(bridge.directory, 'updates')).filter(name => name.endsWith('.part')),
		[],
	);
});

test('checks go on by themselves, a restart does not hurry them, and a shutdown ends one that hangs', async t => {
	const server = await startUpdateServer(t);
	server.publish(manifestOf(1), pair);
	const first = await openUpdates(t, server, {pairs: [pair], random: () => 0});
	await first.updates.start();
	await eventually(() => first.words().includes('update_accepted')); // The check is kept before it is told.
	await first.updates.shutdown();
	const asked = server.asked.length;
	const second = await openUpdates(t, server, {pairs: [pair], directory: first.directory, random: () => 0});
	await second.updates.start();
	await pause(200);
	await second.updates.shutdown();
	t.is(server.asked.length, asked);

	const hanging = await openUpdates(t, server, {
		pairs: [pair],
		parts: {
			https: (_url, {signal}) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
		},
	});
	const check = hanging.updates.check();
	await hanging.updates.shutdown();
	t.is((await check).outcome, 'failed');
	t.deepEqual(hanging.notes, [], 'being stopped is no trouble of the update server');
});
