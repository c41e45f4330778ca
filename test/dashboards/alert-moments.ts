import {fileURLToPath} from 'node:url';
import test from 'ava';
import {ruleGroups} from '../../dashboards/alert-rules/groups.ts';
import {createTerms} from '../../dashboards/alert-rules/terms.ts';
import {labelNameOf, metricNameOf} from '../../src/own-telemetry/names.ts';
import {alertMoments, momentsOf} from '../helpers/alert-moments.ts';
import {firingMoments, momentName, runMoments} from '../helpers/alert-moments-run.ts';
import {temporaryDirectory} from '../helpers/listen.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {promtools} from '../helpers/promtool.ts';

const groups = ruleGroups(createTerms({metricNameOf, labelNameOf}));

test('the moment of every alert that fires is known', t => {
	t.deepEqual(firingMoments.map(momentName).toSorted(), Object.keys(alertMoments).toSorted());
});

for (const [group, {rules}] of Object.entries(groups)) {
	testWithPeer('promtool', `each ${group} rule begins to fire in its minute, and not in the one before`, async t => {
		t.timeout(300_000);
		const file = fileURLToPath(new URL(`../../dashboards/prometheus/${group}.rules.yaml`, import.meta.url));
		const own = firingMoments.filter(({alertCase}) => rules.some(({alert}) => alert === alertCase.alert));
		for (const tool of promtools()) {
			const {ok, output} = await runMoments(tool, await temporaryDirectory(t), file, momentsOf(tool, own));
			t.true(ok, `${tool}: ${output}`);
		}
	});
}
