import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {serviceabilityRuleSchema} from '../../src/processors/config.ts';
import {updatesSchema} from '../../src/updates/config.ts';
import {loadRules, readRules, ruleName, rulesDifference} from '../../src/updates/rules.ts';
import {compareVersions} from '../../src/updates/versions.ts';
import {temporaryDirectory} from '../helpers/listen.ts';
import {fanRule} from '../helpers/update-server.ts';

const read = (text: string) => readRules(text, serviceabilityRuleSchema);

test('rules are a list as the config file has it', t => {
	t.deepEqual(read(fanRule), {rules: [{match: {'hw.type': 'fan'}, verdict: 'never', repeat: 1}], faults: []});
	t.deepEqual(read('[]'), {rules: [], faults: []});
});

const bombed = `a: &a [x]\n${Array.from({length: 8}, (_, index) => `${'bcdefghi'[index]}: &${'bcdefghi'[index]} [${Array(9).fill(`*${'abcdefgh'[index]}`)}]`).join('\n')}`;
for (const [title, text, fault] of [
	['no list', 'match: {}', /is not a YAML list of rules/],
	['no YAML', '- {', /flow/i],
	['a key twice', '- {verdict: never, verdict: serviceable, match: {a: b}}', /unique/],
	['an unknown verdict', `${fanRule}- {match: {a: b}, verdict: perhaps}`, /^rule 2 verdict: /],
	['an alias bomb', bombed, /alias/i],
	['more rules than anybody has', fanRule.repeat(10_001), /10000/],
	['more text than anybody writes', `# ${'x'.repeat(1024 ** 2)}`, /larger than/],
] as const) {
	test(`a document with ${title} has a fault and no rule`, t => {
		const {rules, faults} = read(text);
		t.deepEqual(rules, []);
		t.regex(faults[0] ?? '', fault);
	});
}

test('any text is rules or faults, never both, never an exception', t => {
	const yaml = fc.oneof(fc.string(), fc.json(), fc.stringMatching(/^[-[\]{}:&*!|>'"\n \ta-c<%@#?]{0,60}$/));
	fc.assert(
		fc.property(yaml, text => {
			const {rules, faults} = read(text);
			return rules.length === 0 || faults.length === 0;
		}),
	);
	t.pass();
});

test('a rule is named by what it says', t => {
	const [rule] = read('- match: {hw.type: fan, hw.state: [degraded, failed]}\n  verdict: never').rules;
	t.is(rule && ruleName(rule), 'never: hw.type=fan, hw.state=degraded|failed');
	t.deepEqual(rulesDifference(read(fanRule).rules, rule ? [rule] : []), {
		added: ['never: hw.type=fan, hw.state=degraded|failed'],
		removed: ['never: hw.type=fan'],
	});
});

test('rules that are too large are not read', async t => {
	const directory = await temporaryDirectory(t);
	writeFileSync(join(directory, 'rules.yaml'), 'x'.repeat(1024 ** 2 + 1));
	t.throws(() => loadRules(directory), {code: 'ERR_CONFIG', message: /rules\.yaml is larger than/});
});

test('versions are ordered as semver.org has it', t => {
	const order = [
		'1.0.0-alpha',
		'1.0.0-alpha.1',
		'1.0.0-alpha.beta',
		'1.0.0-beta',
		'1.0.0-beta.2',
		'1.0.0-beta.11',
		'1.0.0-rc.1',
		'1.0.0',
		'1.0.1',
		'1.2.0',
		'1.10.0',
		'2.0.0',
	];
	for (const [at, one] of order.entries()) {
		for (const [otherAt, other] of order.entries())
			t.is(Math.sign(compareVersions(one, other) ?? Number.NaN), Math.sign(at - otherAt), `${one} ${other}`);
	}
	t.is(compareVersions('1.0.0+a', '1.0.0+b'), 0);
	t.is(compareVersions('unknown', '1.0.0'), undefined);
});

const config = {url: 'https://updates.example/callhome-updates.json', public_key_file: 'key.pem'};

test('the configuration has defaults for all but the server and its key', t => {
	t.like(updatesSchema.parse(config), {
		public_key_file: ['key.pem'],
		http_url: undefined,
		interval: 86_400_000,
		max_program_size: 104_857_600,
	});
	t.false(updatesSchema.safeParse({}).success);
	t.is(updatesSchema.parse({...config, http_url: 'http://updates.example/m.json'}).http_url?.port, '');
});

for (const [title, change, message] of [
	['a plain url', {url: 'http://updates.example/m.json'}, /must begin with https/],
	['a url of no manifest', {url: 'https://updates.example/'}, /must end in \.json/],
	['a query', {url: 'https://updates.example/m.json?serial=geheim'}, /no user, password, query/],
	['a password', {http_url: 'http://me:geheim@updates.example/m.json'}, /no user, password/],
	['an encrypted plain url', {http_url: 'https://updates.example/m.json'}, /must begin with http:/],
	['no URL', {url: 'geheim'}, /is not a URL: write for example/],
	['no key', {public_key_file: []}, /names no file: name one with the public key/],
	['too short an interval', {interval: '10s'}, /at least 1m/],
] as const) {
	test(`the configuration cannot have ${title}`, t => {
		const {error} = updatesSchema.safeParse({...config, ...change});
		t.regex(error?.issues[0]?.message ?? '', message);
		t.false(error?.message.includes('geheim'));
	});
}
