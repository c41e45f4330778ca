import {fileURLToPath} from 'node:url';
import test from 'ava';
import {ruleGroups} from '../../dashboards/alert-rules/groups.ts';
import {inhibitions} from '../../dashboards/alert-rules/inhibition.ts';
import {createTerms} from '../../dashboards/alert-rules/terms.ts';
import {labelNameOf, metricNameOf} from '../../src/own-telemetry/names.ts';
import {startAlertmanager} from '../helpers/alertmanager.ts';
import {eventually} from '../helpers/listen.ts';
import {testWithPeer} from '../helpers/peers.ts';

const configFile = fileURLToPath(new URL('../../dashboards/alertmanager/alertmanager.yaml', import.meta.url));

const alert = (alertname: string, severity: string, instance: string, more: Readonly<Record<string, string>> = {}) => ({
	alertname,
	severity,
	job: 'callhome-bridge',
	instance,
	...more,
});

testWithPeer('prometheus-alertmanager', 'a lesser alert is not told beside the one that says it already', async t => {
	const alertmanager = await startAlertmanager(t, configFile);
	const sent = [
		alert('CallHomeBridgeAbsent', 'critical', 'i1'),
		alert('CallHomeHeartbeatMissed', 'critical', 'i1'),
		alert('CallHomeHardwareFailed', 'warning', 'i1', {host_name: 'db01', hw_id: 'd3'}),
		alert('CallHomePathsExhausted', 'critical', 'i2'),
		alert('CallHomeHeartbeatMissed', 'critical', 'i2'),
		alert('CallHomePathDegraded', 'warning', 'i2'),
		alert('CallHomeProblemUndelivered', 'critical', 'i2'),
		alert('CallHomeHeartbeatMissed', 'critical', 'i3'),
		alert('CallHomeDeliveryObjectiveBurning', 'critical', 'i3'),
		alert('CallHomeDeliveryObjectiveBurning', 'warning', 'i3'),
		alert('CallHomeCertificateExpiring', 'critical', 'i3', {callhome_certificate: 'proxy'}),
		alert('CallHomeCertificateExpiring', 'warning', 'i3', {callhome_certificate: 'ibm'}),
		alert('CallHomeHardwareFailed', 'warning', 'i3', {host_name: 'db01', hw_id: 'd3'}),
		alert('CallHomeHardwareAboutToFail', 'warning', 'i3', {host_name: 'db01', hw_id: 'd3'}),
		alert('CallHomeHardwareAboutToFail', 'warning', 'i3', {host_name: 'db01', hw_id: 'd4'}),
		alert('CallHomeHeartbeatMissed', 'critical', 'i1', {site: 'elsewhere'}),
		alert('CallHomeInventoryStale', 'warning', 'i1', {host_name: 'db01'}),
		alert('CallHomeInventoryStale', 'warning', 'i2', {host_name: 'db01'}),
		alert('CallHomeInventoryStale', 'warning', 'i3', {host_name: 'db01'}),
		alert('CallHomeSystemSilent', 'warning', 'i4', {host_name: 'db01'}),
		alert('CallHomeInventoryStale', 'warning', 'i4', {host_name: 'db01'}),
		alert('CallHomeInventoryStale', 'warning', 'i4', {host_name: 'db02'}),
		alert('CallHomeLedgerBroken', 'critical', 'i1', {callhome_ledger_break: 'hash'}),
		alert('CallHomeLedgerBroken', 'critical', 'i2', {callhome_ledger_break: 'hash'}),
		alert('CallHomeLedgerBroken', 'critical', 'i2', {callhome_ledger_break: 'went_back'}),
		alert('CallHomeLedgerUnverified', 'warning', 'i2'),
		alert('NodeDown', 'warning', 'i1'),
		alert('CallHomeNoBridge', 'critical', 'i1'),
		alert('CallHomeWatchdog', 'none', 'i1'),
	];
	t.is(await alertmanager.send(sent), 200);
	const told = [
		'CallHomeBridgeAbsent critical i1',
		'CallHomeCertificateExpiring critical i3 proxy',
		'CallHomeCertificateExpiring warning i3 ibm',
		'CallHomeDeliveryObjectiveBurning critical i3',
		'CallHomeHardwareAboutToFail warning i3 d4',
		'CallHomeHardwareFailed warning i3 d3',
		'CallHomeHeartbeatMissed critical i1',
		'CallHomeHeartbeatMissed critical i3',
		'CallHomeInventoryStale warning i4 db02',
		'CallHomeLedgerBroken critical i1 hash',
		'CallHomeLedgerBroken critical i2 hash',
		'CallHomeLedgerBroken critical i2 went_back',
		'CallHomeLedgerUnverified warning i2',
		'CallHomeNoBridge critical i1',
		'CallHomePathsExhausted critical i2',
		'CallHomeProblemUndelivered critical i2',
		'CallHomeSystemSilent warning i4 db01',
		'CallHomeWatchdog none i1',
		'NodeDown warning i1',
	];
	await eventually(async () => (await alertmanager.all()) === sent.length, {timeoutMillis: 30_000});
	const inWords = async () =>
		(await alertmanager.active())
			.map(({alertname, severity, instance, host_name = '', hw_id = host_name, callhome_certificate, callhome_ledger_break}) =>
				`${alertname} ${severity} ${instance} ${callhome_certificate ?? callhome_ledger_break ?? hw_id}`.trim(),
			)
			.toSorted();
	await eventually(async () => (await inWords()).length === told.length, {timeoutMillis: 30_000}).catch(() => {});
	t.deepEqual(await inWords(), told);
});

test('the inhibitions name alerts that there are', t => {
	const names = Object.values(ruleGroups(createTerms({metricNameOf, labelNameOf}))).flatMap(({rules}) =>
		rules.map(({alert}) => alert),
	);
	for (const {source_matchers, target_matchers} of inhibitions) {
		for (const matcher of [...source_matchers, ...target_matchers]) {
			const [, operator, value = ''] = /^alertname(=~?|!~)"(.*)"$/.exec(matcher) ?? [];
			if (operator === undefined) continue;
			const expression = new RegExp(`^(?:${value})$`);
			t.true(
				names.some(name => (operator === '=' ? name === value : expression.test(name))),
				matcher,
			);
			for (const [, list = ''] of value.matchAll(/\(([^)]+)\)/g))
				for (const name of list.split('|')) t.true(names.includes(`CallHome${name}`), name);
		}
	}
});
