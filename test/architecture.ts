import {fileURLToPath} from 'node:url';
import test from 'ava';
import manifest from '../package.json' with {type: 'json'};
import {
	consoleFaults,
	cycleFaults,
	foreignFaults,
	lengthFaults,
	nounFaults,
	packageFaults,
	readSources,
	type Source,
	siblingFaults,
	specifiersOf,
	topLevelFaults,
} from './helpers/house.ts';

const sources = await readSources(fileURLToPath(new URL('..', import.meta.url)));

const rules: Record<string, (sources: readonly Source[]) => string[]> = {
	'a noun imports nothing of ours but nouns': nounFaults,
	'what lies in src itself is a noun or wires the parts': topLevelFaults,
	'parts do not import each other': siblingFaults,
	'imports form no cycle': cycleFaults,
	'no file is longer than 250 lines': lengthFaults,
	'only the command line prints': consoleFaults,
	'packages come from the dependencies': files => packageFaults(files, manifest),
	'no path of one machine and no registry is named': foreignFaults,
};

for (const [title, rule] of Object.entries(rules)) {
	test(title, t => t.deepEqual(rule(sources), []));
}

const files = (texts: Record<string, string>): Source[] => Object.entries(texts).map(([path, text]) => ({path, text}));

/** Houses that break a rule, and the fault that has to be found: a rule that finds nothing anywhere is no rule. */
const broken: [title: string, rule: (sources: readonly Source[]) => string[], texts: Record<string, string>, faults: string[]][] =
	[
		[
			'a noun that knows a part',
			nounFaults,
			{'src/event.ts': "import {open} from './store/open.ts';\nimport type {System} from './problem.ts';\n"},
			['src/event.ts is a noun and imports src/store/open.ts'],
		],
		[
			'a file without a place',
			topLevelFaults,
			{'src/tools.ts': '', 'src/agent.ts': '', 'src/config-source.ts': '', 'src/event.ts': ''},
			['src/tools.ts is neither a noun nor one that wires: it belongs in a folder'],
		],
		[
			'receivers that know each other, or the store',
			siblingFaults,
			{
				'src/receivers/cim/server.ts':
					"import {read} from '../otlp/wire.ts';\nimport type {Event} from '../../event.ts';\nimport {parse} from './parse.ts';\n",
				'src/receivers/alertmanager.ts': "import {\n\topen,\n\tclose,\n} from '../store/open.ts';\n",
			},
			[
				'src/receivers/cim/server.ts imports src/receivers/otlp/wire.ts',
				'src/receivers/alertmanager.ts imports src/store/open.ts',
			],
		],
		[
			'parts that know who wires them, or an exporter that knows another',
			siblingFaults,
			{
				'src/web/api.ts': "const {agent} = await import('../agent.ts');\n",
				'exporters/file.ts': "export * from './call-home-connect/exporter.ts';\n",
				'exporters/index.ts': "export * from './call-home-connect/exporter.ts';\n",
				'src/agent.ts': "import {open} from './store/open.ts';\n",
				'dashboards/alert-rules/rules.ts': "import {metricNameOf} from '../../src/own-telemetry/names.ts';\n",
				'dashboards/generate.ts': "import {metricNameOf} from '../src/own-telemetry/names.ts';\n",
			},
			[
				'src/web/api.ts imports src/agent.ts',
				'exporters/file.ts imports exporters/call-home-connect/exporter.ts',
				'dashboards/alert-rules/rules.ts imports src/own-telemetry/names.ts',
			],
		],
		[
			'a cycle of three',
			cycleFaults,
			{
				'src/store/a.ts': "import './b.ts';\n",
				'src/store/b.ts': "export type {C} from './c.ts';\n",
				'src/store/c.ts': "import {a} from './a.ts';\nimport {d} from './d.ts';\n",
				'src/store/d.ts': '',
			},
			['src/store/a.ts -> src/store/b.ts -> src/store/c.ts -> src/store/a.ts'],
		],
		[
			'a file of 251 lines',
			lengthFaults,
			{'exporters/file.ts': 'x\n'.repeat(251), 'src/event.ts': 'x\n'.repeat(250)},
			['exporters/file.ts has 251 lines, more than 250'],
		],
		[
			'a part that prints',
			consoleFaults,
			{'src/web/api.ts': '\tconsole.error(error);\n', 'src/cli.ts': 'console.log(1);\n'},
			['src/web/api.ts prints: only the command line does'],
		],
		[
			'packages of the tests in the product, and a built-in module by its old name',
			sources => packageFaults(sources, {dependencies: {zod: '1'}, devDependencies: {'@scope/name': '1'}}),
			{
				'src/event.ts':
					"import fs from 'fs';\nimport {z} from 'zod';\nimport {once} from 'node:events';\nimport 'undeclared/deep';\n",
				'src/agent.ts': "import x from '@scope/name/deep';\n",
				'test/event.ts': "import x from '@scope/name/deep';\n",
			},
			[
				'src/event.ts imports fs: write node: before it',
				'src/event.ts imports undeclared/deep: not among its dependencies',
				'src/agent.ts imports @scope/name/deep: not among its dependencies',
			],
		],
		[
			'a directory of one machine and a registry',
			foreignFaults,
			{
				'README.md': `see ${['', 'home', 'me', 'bridge'].join('/')}, /var/lib/callhome and https://example.com/home/x/y\n`,
				'.npmrc': `registry=https://${['registry', 'npmjs', 'org'].join('.')}\n`,
				'package-lock.json': `https://${['registry', 'npmjs', 'org'].join('.')}\n`,
			},
			[`README.md names ${['', 'home', 'me', 'bridge'].join('/')}`, `.npmrc names ${['registry', 'npmjs', 'org'].join('.')}`],
		],
	];

for (const [title, rule, texts, faults] of broken) {
	test(`finds ${title}`, t => t.deepEqual(rule(files(texts)), faults));
}

test('every form of import is seen, and no text that only looks like one', t => {
	const text = [
		"import a, {type B} from './1.ts';",
		'import {',
		'\tc,',
		"} from './2.ts';",
		"import './3.ts';",
		"export {d} from './4.ts';",
		"export * as e from './5.ts';",
		"const f = await import('./6.ts');",
		"import data from './7.json' with {type: 'json'};",
		"export const text = 'from';",
		'\tconst sentence = "import x from \'./no.ts\'";',
	].join('\n');
	t.deepEqual(specifiersOf({path: 'src/x.ts', text}).sort(), [
		'./1.ts',
		'./2.ts',
		'./3.ts',
		'./4.ts',
		'./5.ts',
		'./6.ts',
		'./7.json',
	]);
});
