import test from 'ava';
import {giveOrder} from '../../src/agent/control.ts';
import {previewServiceInformation} from '../../src/cli/service-information.ts';
import {configOf} from '../helpers/bridge.ts';
import {patience, startBridgeWithSandbox} from '../helpers/bridge-with-sandbox.ts';
import {eventually, listen, temporaryDirectory} from '../helpers/listen.ts';
import {wholeMachine} from '../helpers/redfish-machine.ts';
import {createSessions} from '../helpers/redfish-sessions.ts';

type Preview = {readonly messages: readonly Record<string, unknown>[]; readonly troubles: readonly string[]};
const quiet = {write: () => true} as unknown as NodeJS.WritableStream;

/** Times, and the ids that hold them, are of each message. */
const timeless = (value: unknown): unknown =>
	JSON.parse(
		JSON.stringify(value)
			.replaceAll(/\d{4}-\d\d-\d\d[ T][\d:.]+Z?/g, 'TIME')
			.replaceAll(/\b1\d{12}\b|_\d{13}|\b1\d{9}\b/g, '0'),
	);

test('what is previewed is what leaves, apart from keys and times', async t => {
	const pages: Record<string, unknown> = wholeMachine();
	const url = await listen(
		t,
		createSessions().before(({url: path = ''}, response) => {
			response.writeHead(path in pages ? 200 : 404).end(JSON.stringify(pages[path] ?? {}));
		}),
	);
	const module = {url: url.origin, username: 'u', password: 'hidden-word', machine_type: '8871', model: 'AC1'};
	const {sandbox, bridge} = await startBridgeWithSandbox(t, {
		receivers: {
			otlp: {endpoint: '127.0.0.1:0'},
			redfish: {systems: [{...module, serial_number: 'J7'}]},
		},
		consent: {cases: true, inventory: true},
		service_information: {inventory: {include: ['hardware', 'operating_system'], interval: '1h'}},
	});
	const ofSandbox = {customer_number: '0000000', endpoint: sandbox.url().href, ca_file: sandbox.caFile};
	const config = configOf(await temporaryDirectory(t), {
		system: {machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C'},
		receivers: {redfish: {systems: [{...module, serial_number: 'J7'}]}},
		service_information: {inventory: {include: ['hardware', 'operating_system']}},
		exporter: {call_home_connect: {...ofSandbox, api_key: 'test-api-key', private_key: 'test-private-key'}},
		consent: {},
	});
	await giveOrder(bridge.directory, {operation: 'collect_inventory', named: ''});
	const arrived = () => sandbox.received().filter(({eventType}) => eventType === 'inventory');
	const newest = await eventually(() => {
		const found = ['J1A2B3C', 'J7'].map(serial => arrived().findLast(({assetId}) => assetId === serial));
		return found.every(each => each !== undefined) && found;
	}, patience);
	const {json} = await previewServiceInformation(config, '', {signal: new AbortController().signal, stderr: quiet});
	const {messages, troubles} = json as Preview;
	t.deepEqual(troubles, []);
	const sent = newest.map(received => ({...(received?.envelope as object), events: [received?.event]}));
	t.deepEqual(timeless(messages), timeless(sent));
	t.regex(JSON.stringify(messages), /"fru_number"/);
	await bridge.shutdown();
});

test('a preview that is interrupted asks no further machine', async t => {
	const module = (port: number) => ({url: `http://127.0.0.1:${port}`, username: 'u', password: 'hidden-word'});
	const config = configOf(await temporaryDirectory(t), {receivers: {redfish: {systems: [module(9), module(19)]}}});
	const said: string[] = [];
	const stop = new AbortController();
	const stderr = {write: (text: string) => said.push(text)} as unknown as NodeJS.WritableStream;
	stop.abort();
	const {json, exitCode} = await previewServiceInformation(config, '', {signal: stop.signal, stderr});
	t.deepEqual((json as Preview).messages, []);
	t.is(exitCode, 49);
	t.false(said.some(text => text.startsWith('collecting from')));
});

test('a module that has nothing of what is included says so', async t => {
	const config = configOf(await temporaryDirectory(t), {
		receivers: {redfish: {systems: [{url: 'http://127.0.0.1:9', username: 'u', password: 'hidden-word'}]}},
		service_information: {inventory: {include: ['packages']}},
	});
	const {json} = await previewServiceInformation(config, '', {signal: new AbortController().signal, stderr: quiet});
	t.deepEqual((json as Preview).troubles, [
		'redfish 127.0.0.1:9: it has nothing to tell of what service_information.inventory.include names',
	]);
});
