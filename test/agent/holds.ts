import test from 'ava';
import {startAgent} from '../../src/agent.ts';
import {alertRequest, configOf, post} from '../helpers/bridge.ts';
import {eventually, temporaryDirectory} from '../helpers/listen.ts';

const ibm = {call_home_connect: {customer_number: '1234567'}};
const silent = () => {};

test.serial('without keys for IBM a problem is held with no_credentials and nothing is sent', async t => {
	const agent = await startAgent(configOf(await temporaryDirectory(t), {exporter: ibm}), silent);
	t.teardown(() => agent.shutdown());
	t.is((await post(agent.urls.otlp, alertRequest({serial: 'J1A2B3C'}))).status, 200);
	const {read} = agent.callHome.store;
	const [problem] = await read.listProblems({});
	t.like(problem, {state: 'held', reason: 'no_credentials'});
	t.is((await read.listActivities({})).at(-1)?.word, 'held');
	t.deepEqual(await read.attemptsOf(problem?.id ?? ''), []);
});

test.serial('an alert of an unknown system says what to add, and goes out after it was added', async t => {
	const directory = await temporaryDirectory(t);
	const before = await startAgent(configOf(directory), silent);
	await post(before.urls.otlp, alertRequest({host: 'db77'}));
	const [held] = await before.callHome.store.read.listProblems({});
	t.like(held, {state: 'held', reason: 'unknown_system', system: undefined});
	const activity = (await before.callHome.store.read.listActivities({})).at(-1)?.text ?? '';
	t.regex(activity, /systems: - match: \{host\.name: "db77"\}/);
	await before.shutdown();

	const systems = [{match: {'host.name': 'db77'}, machine_type: '8871', model: 'AC1', serial_number: 'NEW0001'}];
	const after = await startAgent(configOf(directory, {systems}), silent);
	t.teardown(() => after.shutdown());
	const {read} = after.callHome.store;
	const opened = await eventually(async () => (await read.listProblems({states: ['open']}))[0]);
	t.is(held?.id, opened.id);
	t.is(opened.system?.serialNumber, 'NEW0001');
	t.is((await read.listProblems({})).length, 1);
});

test.serial('without consent nothing leaves, not even a heartbeat', async t => {
	const settings = {consent: {}, system: {machine_type: '8871', model: 'AC1', serial_number: 'OWN0001'}};
	const agent = await startAgent(configOf(await temporaryDirectory(t), settings), silent);
	t.teardown(() => agent.shutdown());
	await post(agent.urls.otlp, alertRequest({serial: 'J1A2B3C'}));
	const {read} = agent.callHome.store;
	t.like((await read.listProblems({}))[0], {state: 'held', reason: 'no_consent'});
	t.is((await read.tallyQueue()).size, 0);
});

test.serial('consent that is taken back stops what was queued before, and says so', async t => {
	const directory = await temporaryDirectory(t);
	const before = await startAgent(configOf(directory, {exporter: {sandbox: {mode: 'unavailable'}}}), silent);
	await post(before.urls.otlp, alertRequest({serial: 'J1A2B3C'}));
	await before.shutdown();
	const attempts = async (agent: typeof before) => {
		const [problem] = await agent.callHome.store.read.listProblems({});
		return (await agent.callHome.store.read.attemptsOf(problem?.id ?? '')).length;
	};
	const said: string[] = [];
	const after = await startAgent(configOf(directory, {consent: {}}), (_level, text) => void said.push(text));
	t.teardown(() => after.shutdown());
	const sentBefore = await attempts(after);
	await new Promise(resolve => setTimeout(resolve, 1500));
	t.is(await attempts(after), sentBefore);
	t.true(said.some(text => text.includes('without consent.cases')));
	t.is((await after.callHome.store.read.tallyQueue()).size, 1);
});
