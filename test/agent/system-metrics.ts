import test from 'ava';
import {alertRequest, post, scrape, startBridge} from '../helpers/bridge.ts';
import {eventually} from '../helpers/listen.ts';

const patience = {timeoutMillis: 60_000, intervalMillis: 100};
const named = (name: string, serial_number: string) => ({
	match: {'host.name': name},
	name,
	machine_type: '8871',
	model: 'AC1',
	serial_number,
});

/** As it is on the page of metrics. */
const labels = (name: string, serial: string) =>
	`callhome_system_model="AC1",callhome_system_serial_number="${serial}",callhome_system_type="8871",host_name="${name}"`;

test('each system has its problems by state and its last heartbeat on the page, and what is held its reason', async t => {
	const odd = 'o"dd\nname\\Ü';
	const bridge = await startBridge(t, {systems: [named('db01', 'S0000001'), named(odd, 'S0000002')]});
	await post(
		bridge.urls.otlp,
		alertRequest({host: 'db01'}, {host: odd, id: 'fan-1', type: 'fan'}, {host: 'stranger'}, {host: 'db01', id: 'x', state: 'ok'}),
	);
	const shown = 'o\\"dd\\nname\\\\Ü';
	const problems = (page: Map<string, number>, name: string, serial: string, state: string) => {
		const [model, number, type, host] = labels(name, serial).split(',');
		const all = [`callhome_problem_state="${state}"`, model, number, type, host].join(',');
		return page.get(`callhome_system_problems{${all}}`);
	};
	const page = await eventually(async () => {
		const now = await scrape(bridge.urls.metrics);
		return problems(now, 'db01', 'S0000001', 'open') === 1 && problems(now, shown, 'S0000002', 'open') === 1 && now;
	}, patience);
	t.is(problems(page, 'db01', 'S0000001', 'held'), 0, 'the zeros are there, too');
	t.is(page.get('callhome_problems_held{callhome_hold_reason="unknown_system"}'), 1);
	t.is(page.get('callhome_problems_held{callhome_hold_reason="unanswered"}'), 0);
	t.is(page.get('callhome_system_problems{callhome_problem_state="held",host_name="unknown systems"}'), 1);

	const beats = await eventually(async () => {
		const now = await scrape(bridge.urls.metrics);
		const at = [labels('db01', 'S0000001'), labels(shown, 'S0000002')].map(label =>
			now.get(`callhome_system_heartbeat_last_success_timestamp_seconds{${label}}`),
		);
		return at.every(value => value !== undefined) && at;
	}, patience);
	for (const at of beats) t.true(Math.abs((at ?? 0) - Date.now() / 1000) < 120);
	t.true(Math.abs((page.get('callhome_clock_time_seconds') ?? 0) - Date.now() / 1000) < 120);
	t.true((page.get('callhome_store_size_bytes') ?? 0) > 0);
	t.true((page.get('callhome_store_available_bytes') ?? 0) > 0);
});
