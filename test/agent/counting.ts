import test from 'ava';
import {decisions} from '../../src/event.ts';
import {submissionTypes} from '../../src/submission.ts';
import {alertRequest, post, startBridge} from '../helpers/bridge.ts';
import {parsePrometheusText} from '../helpers/prometheus-text.ts';

test('counters are there from the start, so that the first step of what is rare is seen', async t => {
	const bridge = await startBridge(t);
	const countsOf = async (name: string, label: string) => {
		const page = await (await fetch(bridge.urls.metrics)).text();
		const family = parsePrometheusText(page).find(other => other.name === name);
		return Object.fromEntries(family?.samples.map(({labels, value}) => [labels[label], value]) ?? []);
	};
	const zeros = (names: readonly string[]) => Object.fromEntries(names.map(name => [name, 0]));
	t.deepEqual(await countsOf('callhome_events_total', 'callhome_decision'), zeros(decisions));
	t.deepEqual(await countsOf('callhome_submissions_total', 'callhome_submission_type'), zeros(submissionTypes));
	t.like(await countsOf('callhome_intake_records_total', 'callhome_intake_outcome'), {accepted: 0, refused: 0});

	await post(bridge.urls.otlp, alertRequest({host: 'stranger'}));
	t.deepEqual(await countsOf('callhome_events_total', 'callhome_decision'), {...zeros(decisions), held: 1});
});
