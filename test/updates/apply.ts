import {createPrivateKey, createPublicKey} from 'node:crypto';
import {existsSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {applyUpdate, checkUpdates, showUpdates, signManifest} from '../../src/cli/update.ts';
import type {Config} from '../../src/config.ts';
import {loadRules} from '../../src/updates/rules.ts';
import {configOf} from '../helpers/bridge.ts';
import {day, noon} from '../helpers/decisions.ts';
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
const lasting = {issued_at: timeOf(Date.now()), expires_at: timeOf(Date.now() + day)};

/** A bridge's component and the commands beside it, on one directory. */
async function openBoth(t: ExecutionContext) {
	const server = await startUpdateServer(t);
	const directory = join(await temporaryDirectory(t), "op's state");
	const setting = {pairs: [pair], directory, parts: {now: Date.now}};
	const bridge = await openUpdates(t, server, setting);
	const plain = configOf(directory, {store: {directory}});
	const config = {...plain, destinations: {...plain.destinations, updates: bridge.config}} as Config;
	const restart = () => openUpdates(t, server, setting);
	return {server, directory, bridge, config, restart};
}

test('rules that wait are applied by the operator, and the next start reads them', async t => {
	const {server, directory, bridge, config, restart} = await openBoth(t);
	t.is(loadRules(directory), undefined);
	writeFileSync(join(directory, 'rules.yaml'), '- match: {hw.type: cpu}\n  verdict: never\n');
	const rules = server.offer('/rules.yaml', '3', fanRule);
	server.publish(manifestOf(1, {...lasting, rules}), pair);
	await bridge.updates.check();
	t.like((await showUpdates(config)).json, {waiting: [{kind: 'rules', version: '3'}], applied: {rules: null}});

	const {json, lines} = await applyUpdate(config, 'rules');
	t.like(json, {version: '3', added: ['never: hw.type=fan'], removed: ['never: hw.type=cpu']});
	t.deepEqual(lines.slice(1), ['- never: hw.type=cpu', '+ never: hw.type=fan']);
	t.is(loadRules(directory), fanRule);
	t.deepEqual(bridge.updates.waiting(), [], 'the bridge sees that they were taken');
	t.like((await showUpdates(config)).json, {waiting: [], applied: {rules: {version: '3'}}});

	const asked = server.asked.length;
	await bridge.updates.check();
	t.is(server.asked.length, asked + 2, 'what is applied is not fetched again');
	const {notes, updates} = await restart();
	await updates.start();
	t.deepEqual(notes, [], 'the check has told it already');
	t.regex(bridge.notes.at(-1)?.text ?? '', /rules 3 were applied by the operator/);
	await t.throwsAsync(applyUpdate(config, 'rules'), {code: 'ERR_NOT_FOUND', message: /no rules update waits/});

	writeFileSync(join(directory, 'rules.yaml'), `${fanRule}# edited\n`);
	await bridge.updates.check();
	t.deepEqual(bridge.updates.waiting(), [], 'the operator may edit what he has applied');
	rmSync(join(directory, 'rules.yaml'));
	await bridge.updates.check();
	t.is(bridge.updates.waiting().length, 1, 'rules that were removed can be had again');
});

test('a program is verified once more, and the command that installs it is printed and not run', async t => {
	const {server, directory, bridge, config} = await openBoth(t);
	server.publish(manifestOf(1, {...lasting, program: server.offer('/p.tgz', '99.0.0', 'package')}), pair);
	await bridge.updates.check();
	const before = readdirSync(directory).toSorted();
	const {lines} = await applyUpdate(config, 'program');
	const file = join(directory, 'updates/program-99.0.0.tgz');
	t.is(lines[1], `npm install '${file.replaceAll("'", "'\\''")}'`);
	t.deepEqual(readdirSync(directory).toSorted(), before);
	writeFileSync(file, 'pickage');
	await t.throwsAsync(applyUpdate(config, 'program'), {
		code: 'ERR_NOT_FOUND',
		message: /is damaged: "callhome update check" fetches it/,
	});
});

test('rules whose file was changed after the download are not applied', async t => {
	const {server, directory, bridge, config} = await openBoth(t);
	server.publish(manifestOf(1, {...lasting, rules: server.offer('/rules.yaml', '3', fanRule)}), pair);
	await bridge.updates.check();
	for (const content of [fanRule.replace('fan', 'cpu'), '', fanRule + fanRule]) {
		writeFileSync(join(directory, 'updates/rules-3.yaml'), content);
		await t.throwsAsync(applyUpdate(config, 'rules'), {
			code: content.length > fanRule.length ? 'ERR_NOT_FOUND' : 'ERR_SIGNATURE',
		});
		t.false(existsSync(join(directory, 'rules.yaml')));
	}
	await t.throwsAsync(applyUpdate(config, 'everything'), {code: 'ERR_USAGE'});
});

const ways = {
	fetch: (url: URL, options: Parameters<typeof fetchers.https>[1]) =>
		url.protocol === 'https:' ? fetchers.https(url, options) : fetchers.http(url, options),
};

test('what an expired manifest offers is not applied', async t => {
	const {server, bridge, config} = await openBoth(t);
	const expiry = Date.now() + 1500;
	const rules = server.offer('/rules.yaml', '3', fanRule);
	server.publish(manifestOf(1, {issued_at: timeOf(noon - 400 * day), expires_at: timeOf(expiry), rules}), pair);
	t.is((await bridge.updates.check()).outcome, 'accepted');
	await eventually(() => Date.now() >= expiry);
	await t.throwsAsync(applyUpdate(config, 'rules'), {code: 'ERR_SIGNATURE', message: /expired/});
	t.like((await showUpdates(config)).json, {waiting: [], accepted: {expired: true}});
});

test('check asks now, beside a bridge or without one, and show tells what came', async t => {
	const {server, config, bridge} = await openBoth(t);
	t.like((await showUpdates(config)).json, {last_check: null, accepted: null, waiting: []});
	t.is((await checkUpdates(config, ways)).exitCode, 1);
	server.publish(manifestOf(4, {...lasting, destinations: serverList('one.example')}), pair);
	const {exitCode, json, lines} = await checkUpdates(config, ways);
	t.is(exitCode, 0);
	t.like(json, {
		last_check: {outcome: 'accepted', origin: 'https', serial: 4, troubles: []},
		accepted: {serial: 4, expired: false, destinations: {problem_reporting: ['one.example:443']}},
	});
	t.regex(lines.join('\n'), /In force: +manifest 4, over https[\s\S]*problem_reporting: one\.example:443/);
	await bridge.updates.start();
	t.deepEqual(bridge.words(), ['update_accepted'], 'the bridge tells what the command accepted');
	t.like(bridge.handedOn, [{serial: 4}]);
	await t.throwsAsync(showUpdates({...config, destinations: {}} as unknown as Config), {code: 'ERR_NOT_CONFIGURED'});
});

test('a manifest that is signed by the command is accepted, and one that no bridge would read is not signed', async t => {
	const {server, bridge} = await openBoth(t);
	const directory = await temporaryDirectory(t);
	const [file, key] = [join(directory, 'callhome-updates.json'), join(directory, 'key.pem')];
	writeFileSync(key, pair.privateKey.export({format: 'pem', type: 'pkcs8'}));
	writeFileSync(file, manifestOf(3, lasting));
	const {json} = await signManifest(file, key);
	const raw = createPublicKey(createPrivateKey(readFileSync(key)))
		.export({format: 'der', type: 'spki'})
		.subarray(-32);
	t.like(json, {serial: 3, public_key: raw.toString('base64')});
	server.files.set('/callhome-updates.json', readFileSync(file));
	server.files.set('/callhome-updates.json.sig', readFileSync(`${file}.sig`));
	t.like(await bridge.updates.check(), {outcome: 'accepted', serial: 3});
	writeFileSync(file, manifestOf(3, {...lasting, sereal: 3}));
	await t.throwsAsync(signManifest(file, key), {code: 'ERR_MALFORMED', message: /sereal/});
	await t.throwsAsync(signManifest(join(directory, 'none.json'), key), {code: 'ERR_USAGE'});
});
