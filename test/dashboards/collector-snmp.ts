import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {parse} from 'yaml';
import {startBridge} from '../helpers/bridge.ts';
import {eventually, temporaryDirectory} from '../helpers/listen.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {recipeWith, startBesideForward} from '../helpers/recipe.ts';
import {agentUser, immBase, immObjects, snmpAgent, snmpdAgent} from '../helpers/snmp-agent.ts';

const patience = {timeoutMillis: 60_000, intervalMillis: 100};
const xccBase = '1.3.6.1.4.1.19046.11.1';
const recipeFor = (port: number) =>
	recipeWith('snmp', {'imm01.example:161': `127.0.0.1:${port}`, 'collection_interval: 60s': 'collection_interval: 500ms'});

/** Beside the bridge everything that the recipe makes goes to a file: a line for each poll. */
const toFile = {
	exporters: {'file/readings': {path: 'readings.json'}},
	service: {
		pipelines: {
			'metrics/readings': {
				receivers: ['snmp/callhome'],
				processors: ['transform/callhome_snmp', 'filter/callhome_snmp'],
				exporters: ['file/readings'],
			},
		},
	},
};

type Point = {
	readonly asDouble?: number;
	readonly asInt?: string;
	readonly attributes: readonly {readonly key: string; readonly value: {readonly stringValue: string}}[];
};
type Poll = {
	readonly resourceMetrics: readonly {
		readonly scopeMetrics: readonly {
			readonly metrics: readonly {readonly name: string; readonly gauge: {readonly dataPoints: readonly Point[]}}[];
		}[];
	}[];
};

async function pollsIn(file: string): Promise<readonly Poll[]> {
	const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
	return lines.map(line => JSON.parse(line));
}

/** What one poll told, as `metric part state` → value. */
const readingsOf = ({resourceMetrics}: Poll): ReadonlyMap<string, number> =>
	new Map(
		resourceMetrics
			.flatMap(({scopeMetrics}) => scopeMetrics.flatMap(({metrics}) => metrics))
			.flatMap(({name, gauge}) =>
				gauge.dataPoints.map(({asDouble, asInt, attributes}): [string, number] => {
					const said = new Map(attributes.map(({key, value}) => [key, value.stringValue]));
					return [[name, said.get('hw.id'), said.get('hw.state') ?? ''].join(' ').trim(), asDouble ?? Number(asInt)];
				}),
			),
	);

testWithPeer(
	['otelcol', 'snmpsim-command-responder'],
	'what an IMM tells over SNMP becomes one case for each fault, with the machine named, and closes',
	async t => {
		const agent = await snmpAgent(t, immObjects());
		const text = await recipeFor(agent.port);
		const [, advised = ''] = /^# {3}(selection: .*)$/m.exec(text) ?? [];
		const bridge = await startBridge(t, parse(advised));
		const list = async () =>
			(await bridge.callHome.store.read.listProblems({})).toSorted((one, other) => one.firstSeen - other.firstSeen);
		const collector = await startBesideForward(t, bridge.urls.otlp, [text, toFile], {env: {SNMP_COMMUNITY: 'imm'}});
		const polls = () => pollsIn(join(collector.directory, 'readings.json'));
		const polled = async (times: number) => {
			const before = (await polls()).length;
			return eventually(async () => (await polls()).length >= before + times && (await polls()).at(-1), patience);
		};
		const readings = readingsOf(await polled(2));
		t.is(readings.get('hw.temperature temperature/Ambient Temp'), 24);
		t.is(readings.get('hw.voltage voltage/SysBrd 3.3V'), 3.308);
		t.is(readings.get('hw.status fan/Fan 1A Tach ok'), 1);
		t.is(readings.get('hw.status memory/DIMM 1 failed'), 0);
		t.is(readings.get('hw.status enclosure/system health ok'), 1);
		t.false(
			[...readings.keys()].some(key => /CPU 2 Temp|Fan 2A/.test(key)),
			'places without a part tell nothing',
		);
		t.deepEqual(await list(), []);

		await agent.change(immObjects({fan: [' 0% of maximum', 'Critical'], health: 2}));
		await eventually(async () => (await list()).some(({state}) => state === 'open'), patience);
		await polled(4);
		const [fan, ...others] = await list();
		t.deepEqual(others, [], 'the fan explains why the machine is unwell');
		t.like(fan, {
			count: 1,
			component: {id: 'fan/Fan 1A Tach', type: 'fan', name: 'Fan 1A Tach'},
			system: {machineType: '8871', model: 'AC1', serialNumber: '06ABCDE'},
		});

		await agent.change(immObjects({ambient: 43, disk: 'Predictive failure', health: 4}));
		const three = await eventually(async () => {
			const problems = await list();
			return (
				problems.length > 2 &&
				problems.some(({component, caseNumber}) => component.type === 'physical_disk' && caseNumber) &&
				problems
			);
		}, patience);
		t.true(three[0]?.recoveredAt !== undefined, 'the fan is well again');
		const words = three.slice(1).map(({component, state, reason}) => [component.id, state, reason ?? ''].join(' ').trim());
		t.deepEqual(words.toSorted(), ['physical_disk/Drive 3 open', 'temperature/Ambient Temp held customer_serviceable']);

		await agent.change(immObjects({health: 0}));
		await eventually(
			async () => (await list()).some(({component, state}) => component.type === 'enclosure' && state === 'open'),
			patience,
		);
		await agent.change(immObjects());
		await eventually(async () => (await list()).every(({recoveredAt}) => recoveredAt !== undefined), patience);
		t.is((await list()).length, 4);
		t.notRegex(collector.logs(), /\t(warn|error)\t/, 'the module has all that is asked, and every statement applies');
	},
);

testWithPeer(
	['otelcol', 'snmpd'],
	'with the version 3 and the OIDs of an XCC, as the comments have them, the recipe reads the same and hides its passwords',
	async t => {
		const port = await snmpdAgent(t, await temporaryDirectory(t), immObjects({supply: 'Critical', base: xccBase}));
		const withoutV2c = (await recipeFor(port))
			.replaceAll(immBase, xccBase)
			.replace(/^ {4}version: v2c\n {4}community: .*\n/m, '');
		const text = withoutV2c.replaceAll(/^( {4})# ((version|security_level|user|auth_\w+|privacy_\w+): .*)$/gm, '$1$2');
		const snmp = parse(text).receivers['snmp/callhome'];
		t.like(snmp, {version: 'v3', security_level: 'auth_priv', auth_type: 'SHA', privacy_type: 'AES'});
		const {name, auth_password: auth, priv_password: privacy} = agentUser;
		const env = {SNMP_USER: name, SNMP_AUTH_PASSWORD: auth, SNMP_PRIVACY_PASSWORD: privacy};
		const bridge = await startBridge(t);
		const collector = await startBesideForward(t, bridge.urls.otlp, text, {env});
		const [problem, ...others] = await eventually(async () => {
			const problems = await bridge.callHome.store.read.listProblems({});
			return problems.some(({state}) => state === 'open') && problems;
		}, patience);
		t.deepEqual(others, []);
		t.like(problem, {component: {id: 'power_supply/Power Module 1'}, system: {machineType: '8871', serialNumber: '06ABCDE'}});
		t.notRegex(collector.logs(), /proof-of|privacy-of/);
	},
);
