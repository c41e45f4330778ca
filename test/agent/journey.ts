import {once} from 'node:events';
import test from 'ava';
import {alertRequest, post, scrape, startBridge} from '../helpers/bridge.ts';
import {eventually, listen} from '../helpers/listen.ts';

type Span = {
	readonly name: string;
	readonly traceId: string;
	readonly spanId: string;
	readonly parentSpanId?: string;
	readonly attributes: readonly {key: string; value: object}[];
};

/** Takes what the bridge exports, as OTLP/JSON. */
async function startBackend(t: Parameters<typeof listen>[0]) {
	const spans: Span[] = [];
	const events: string[] = [];
	const url = await listen(t, async (request, response) => {
		let text = '';
		request.on('data', chunk => {
			text += chunk;
		});
		await once(request, 'end');
		const {resourceSpans = [], resourceLogs = []} = JSON.parse(text);
		for (const {scopeSpans} of resourceSpans) for (const scope of scopeSpans) spans.push(...scope.spans);
		for (const {scopeLogs} of resourceLogs)
			for (const scope of scopeLogs) events.push(...scope.logRecords.map((record: {eventName: string}) => record.eventName));
		response.setHeader('content-type', 'application/json').end('{}');
	});
	return {url, spans, events};
}

test('an alert becomes a case, and one trace tells the journey from receipt to case number', async t => {
	const backend = await startBackend(t);
	const bridge = await startBridge(t, {
		telemetry: {otlp: {endpoint: backend.url.href, protocol: 'http/json', compression: 'none', export_interval: '1s'}},
	});
	const {otlp, metrics} = bridge.urls;
	const {read} = bridge.callHome.store;
	const traceId = 'ab'.repeat(16);
	const request = alertRequest({serial: 'J1A2B3C', body: 'Drive 3 has failed'});
	Object.assign(request.resourceLogs[0]?.scopeLogs[0]?.logRecords[0] ?? {}, {traceId, spanId: 'cd'.repeat(8)});

	t.is((await post(otlp, request)).status, 200);
	const problem = await eventually(async () => (await read.listProblems({states: ['open']}))[0]);

	t.regex(problem.caseNumber ?? '', /^TS\d{9}$/);
	t.is(problem.title, 'Drive 3 has failed');
	t.like(problem.system, {machineType: '8871', model: 'AC1', serialNumber: 'J1A2B3C', name: 'db01'});
	const page = await scrape(metrics);
	t.is(page.get('callhome_problems{callhome_problem_state="open"}'), 1);
	t.is(page.get('callhome_events_total{callhome_decision="first"}'), 1);
	t.is(page.get('callhome_case_duration_seconds_count'), 1);
	t.is(page.get('callhome_sandbox_in_use'), 1);

	const journeyId = problem.traceparent?.split('-')[1];
	t.truthy(journeyId);
	const journey = await eventually(() => {
		const spans = backend.spans.filter(span => span.traceId === journeyId);
		return spans.some(({name}) => name === 'callhome.case') && spans.filter(({name}) => name === 'POST').length >= 2 && spans;
	});
	const names = journey.map(({name}) => name);
	for (const name of ['callhome.problem', 'callhome.decide', 'callhome.attempt', 'POST', 'callhome.case'])
		t.true(names.includes(name), name);
	const ids = new Set(journey.map(({spanId}) => spanId));
	const roots = journey.filter(({parentSpanId}) => !parentSpanId);
	t.deepEqual(
		roots.map(({name}) => name),
		['callhome.problem'],
		'one root',
	);
	t.true(
		journey.every(({parentSpanId}) => !parentSpanId || ids.has(parentSpanId)),
		'each parent is in the trace',
	);
	const found = await eventually(() => backend.events.includes('callhome.submission.accepted') && backend.events);
	t.true(found.includes('callhome.problem.state_change'));
	t.false(JSON.stringify(backend.spans).includes('sandbox_key'));
});
