import {setTimeout as pause} from 'node:timers/promises';
import test from 'ava';
import {alertRequest, post, scrape, startBridge} from '../helpers/bridge.ts';
import {eventually} from '../helpers/listen.ts';

test('accepted = queued + sent + held + rejected, at every scrape, under load and with a hostile backend', async t => {
	const bridge = await startBridge(t, {
		exporter: {
			sandbox: {
				case_delay: '50ms',
				mode: 'chaos',
				probability: 0.5,
				delay: '200ms',
				business_errors: {BROKE07: 'no entitlement'},
			},
			retry_on_failure: {initial_interval: '100ms', max_interval: '300ms'},
		},
	});
	const {otlp, metrics} = bridge.urls;
	const standing = (page: Map<string, number>) =>
		['queued', 'sent', 'held', 'rejected'].map(
			word => page.get(`callhome_events_standing{callhome_event_standing="${word}"}`) ?? Number.NaN,
		);
	const scrapes: {accepted: number; standing: number[]}[] = [];
	let acknowledged = 0;

	const load = async () => {
		for (let index = 0; index < 40; index++) {
			const number = String(index % 10).padStart(2, '0');
			const alerts = [
				{serial: `BROKE${number}`, id: `drive-${index % 4}`},
				{serial: `SYS${number}`, id: `fan-${index}`, type: 'fan', state: index % 3 === 0 ? 'degraded' : 'failed'},
				{host: `unknown-${number}`, id: 'dimm-1', type: 'memory'},
			];
			const response = await post(otlp, alertRequest(...alerts.map((alert, part) => ({...alert, uid: `${index}-${part}`}))));
			if (response.status === 200) acknowledged += alerts.length;
		}
	};
	const watch = async (until: AbortSignal) => {
		while (!until.aborted) {
			const page = await scrape(metrics);
			scrapes.push({accepted: page.get('callhome_events_accepted_total') ?? Number.NaN, standing: standing(page)});
			await pause(20);
		}
	};
	const done = new AbortController();
	const watching = watch(done.signal);
	await load();
	// What IBM has taken it may still refuse: that is known some time after the queue is empty.
	const isOver = async () => {
		const [queued = 0, , , rejected = 0] = standing(await scrape(metrics));
		return queued === 0 && rejected > 0;
	};
	await eventually(isOver, {timeoutMillis: 60_000});
	done.abort();
	await watching;

	t.true(scrapes.length > 20);
	for (const {accepted, standing: parts} of scrapes)
		t.is(
			parts.reduce((sum, part) => sum + part, 0),
			accepted,
			JSON.stringify(parts),
		);
	const last = await scrape(metrics);
	t.is(last.get('callhome_events_accepted_total'), acknowledged, 'each acknowledged event is counted once');
	const [, sent = 0, held = 0, rejected = 0] = standing(last);
	t.true(sent > 0 && held > 0 && rejected > 0, `sent ${sent}, held ${held}, rejected ${rejected}`);
});
