import {chmodSync, existsSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {parse} from 'yaml';
import {editConfig} from '../src/config-edit.ts';
import {withChanged} from '../src/config-edit-text.ts';
import {temporaryDirectory} from './helpers/listen.ts';

const written = `# Call home of the Zurich site


exporter:   {sandbox: {}}   # for now

consent:
    cases: true
# who is asked
contact: {organization: "Example AG",
  name: 'Operations'}
store: {directory: ./state}
# the end
`;

test('a key is added at the end, and nothing else changes by a byte', t => {
	const changed = withChanged(written, 'location', document => document.set('location', document.createNode({country: 'CH'})));
	t.is(changed, `${written}location:\n  country: CH\n`);
});

test('a key is replaced in its place: comments, blank lines and odd spacing around it stay', t => {
	const changed = withChanged(written, 'consent', document => document.setIn(['consent', 'inventory'], true));
	t.is(changed, written.replace('    cases: true\n', '  cases: true\n  inventory: true\n'));
	const removed = withChanged(written, 'consent', document => document.delete('consent'));
	t.is(removed, written.replace('consent:\n    cases: true\n', ''));
});

test('lines that end as on Windows keep their ends', t => {
	const changed = withChanged(written.replaceAll('\n', '\r\n'), 'consent', document =>
		document.setIn(['consent', 'inventory'], true),
	);
	t.is(changed, written.replace('    cases: true\n', '  cases: true\n  inventory: true\n').replaceAll('\n', '\r\n'));
});

test('a file in JSON stays JSON', t => {
	const changed = withChanged('{"exporter": {"sandbox": {}}}', 'consent', document => document.setIn(['consent', 'cases'], true));
	t.deepEqual(JSON.parse(changed), {exporter: {sandbox: {}}, consent: {cases: true}});
});

test('whatever the file looks like, an edit changes its key alone and keeps every comment', t => {
	const words = fc.stringMatching(/^[a-z][a-z #:'"&*!|>%@`{}[\]-]{0,12}$/);
	const comment = fc.stringMatching(/^[a-z]{4,8}$/).map(text => `# ${text}`);
	const value = fc.oneof(
		words.map(word => JSON.stringify(word)),
		fc.constantFrom(
			'7',
			'{a: 1, b: [x, y]}',
			'[one,\n    two]',
			'|\n  # text\n  more',
			'\n  a: 1 # one\n  # two\n  b: 2',
			'\n- a\n- b',
			'&x {a: 1}',
			'',
		),
	);
	const filler = fc.array(fc.oneof(comment, fc.constantFrom('', '  ')), {maxLength: 3});
	const entry = fc.record({before: filler, value, after: fc.oneof(fc.constant(''), comment)});
	let spliced = 0;
	fc.assert(
		fc.property(fc.array(entry, {minLength: 1, maxLength: 5}), fc.nat(4), filler, (entries, chosen, tail) => {
			const blocks = entries.map(({before, value, after}, index) => {
				const isPlain = !value.includes('\n') && value !== '';
				return [...before, `key${index}: ${value}${isPlain && after ? ` ${after}` : ''}`].join('\n');
			});
			const text = `${[...blocks, ...tail].join('\n')}\n`;
			const key = `key${chosen % entries.length}`;
			const value = {list: [1, {name: 'x: y'}]};
			const changed = withChanged(text, key, document => document.set(key, document.createNode(value)));
			const start = text.search(new RegExp(`^${key}:`, 'm'));
			const next = text.slice(start + 1).search(/^key\d:/m);
			const rest = next < 0 ? '' : text.slice(start + 1 + next);
			if (changed.startsWith(text.slice(0, start)) && changed.endsWith(rest)) spliced++;
			const expected = {...(parse(text) as object), [key]: value};
			const comments = (source: string) => source.split('\n').filter(line => /^# [a-z]{4,8}$/.test(line));
			const lost = comments(text).filter(line => !changed.includes(line));
			return JSON.stringify(parse(changed)) === JSON.stringify(expected) && lost.length === 0;
		}),
		{numRuns: 2000},
	);
	t.true(spliced > 1900, String(spliced));
});

const allow = {
	key: 'consent',
	edit: (document: {setIn: (path: string[], value: unknown) => void}) => document.setIn(['consent', 'cases'], true),
};

test('the file is replaced as a whole, with its mode, through a link, and nothing is left beside it', async t => {
	const directory = await temporaryDirectory(t);
	const file = join(directory, 'real.yaml');
	const link = join(directory, 'callhome.yaml');
	writeFileSync(file, 'exporter: {sandbox: {}}\n');
	chmodSync(file, 0o640);
	symlinkSync('real.yaml', link);
	const {config, created} = editConfig(link, allow);
	t.true(config.consent.cases);
	t.false(created);
	t.is(readFileSync(file, 'utf8'), 'exporter: {sandbox: {}}\nconsent:\n  cases: true\n');
	t.is(statSync(file).mode & 0o777, 0o640);
	t.true(lstatSync(link).isSymbolicLink());
	t.deepEqual(readdirSync(directory).sort(), ['callhome.yaml', 'real.yaml']);
});

test('with a fault in the result nothing is changed, and the fault is named with its line', async t => {
	const directory = await temporaryDirectory(t);
	const file = join(directory, 'callhome.yaml');
	writeFileSync(file, 'exporter: {sandbox: {}}\n');
	const wrong = {
		key: 'consent',
		edit: (document: Parameters<typeof allow.edit>[0]) => document.setIn(['consent', 'cases'], 'maybe'),
	};
	t.throws(() => editConfig(file, wrong), {code: 'ERR_CONFIG', message: /left as it is:\n.*callhome\.yaml:3: consent\.cases: /});
	t.is(readFileSync(file, 'utf8'), 'exporter: {sandbox: {}}\n');
	writeFileSync(file, 'exporter: {sandbox: {}}\nstore: {direktory: x}\n');
	t.throws(() => editConfig(file, allow), {code: 'ERR_CONFIG', message: /has faults already.*\n.*:2: store\.direktory/});
	writeFileSync(file, 'exporter: {sandbox: &it {}}\nconsent: *it\n');
	t.throws(() => editConfig(file, allow), {code: 'ERR_CONFIG', message: /only an editor can change/});
});

test('a file that is not there is made only when it is named, and only its owner reads it', async t => {
	const directory = await temporaryDirectory(t);
	const file = join(directory, 'new.yaml');
	const {created, config} = editConfig(file, allow);
	t.true(created);
	t.truthy(config.exporter.sandbox);
	t.is(statSync(file).mode & 0o777, 0o600);
	const nowhere = join(directory, 'absent', 'callhome.yaml');
	t.throws(() => editConfig(nowhere, allow), {code: 'ERR_CONFIG', message: /callhome\.yaml cannot be written: ENOENT/});
	t.false(existsSync(nowhere));
});
