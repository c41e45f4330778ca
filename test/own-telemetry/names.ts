import test from 'ava';
import fc from 'fast-check';
import {labelNameOf, type MetricKind, metricNameOf} from '../../src/own-telemetry/names.ts';
import {bridgeMetrics} from '../../src/telemetry.ts';

const names: readonly (readonly [name: string, unit: string, kind: MetricKind, expected: string | undefined])[] = [
	['callhome.submission.duration', 's', 'histogram', 'callhome_submission_duration_seconds'],
	['callhome.submissions', '{submission}', 'counter', 'callhome_submissions_total'],
	['callhome.connection.status', '1', 'updowncounter', 'callhome_connection_status'],
	['hw.battery.charge', '1', 'gauge', 'hw_battery_charge_ratio'],
	['hw.fan.speed_ratio', '1', 'gauge', 'hw_fan_speed_ratio'],
	['hw.ratio.of.fans', '1', 'gauge', 'hw_of_fans_ratio'],
	['requests', '1', 'counter', 'requests_total'],
	['hw.energy', 'J', 'counter', 'hw_energy_joules_total'],
	['total.sent', 'By', 'counter', 'sent_bytes_total'],
	['hw.network.bandwidth.limit', 'By/s', 'updowncounter', 'hw_network_bandwidth_limit_bytes_per_second'],
	['records', '{record}/s', 'gauge', 'records_per_second'],
	['speed', 'm/m', 'gauge', 'speed_meters_per_minute'],
	['odd', 'KiBy/fortnight', 'gauge', 'odd_kibibytes_per_fortnight'],
	['odd', '/s', 'gauge', 'odd_per_second'],
	['odd', 's/{thing}', 'gauge', 'odd_seconds'],
	['odd', ' s ', 'gauge', 'odd_seconds'],
	['hw.fan.speed', 'rpm', 'gauge', 'hw_fan_speed_rpm'],
	['hw.temperature', 'Cel', 'gauge', 'hw_temperature_celsius'],
	['cpu', '%', 'gauge', 'cpu_percent'],
	['delay.seconds', 's', 'gauge', 'delay_seconds'],
	['seconds.of.delay', 's', 'gauge', 'seconds_of_delay'],
	['9lives', 'h', 'gauge', '_9lives_hours'],
	['__a..b--c__', '', 'gauge', 'a_b_c'],
	['job:latency', '', 'gauge', 'job:latency'],
	['ünï', '', 'gauge', 'n'],
	['', 's', 'gauge', 'seconds'],
	['日本', '', 'gauge', undefined],
	['_', '', 'gauge', undefined],
	['', '', 'counter', 'total'],
];

for (const [name, unit, kind, expected] of names) {
	test(`the ${kind} "${name}" in "${unit}" is ${expected}`, t => {
		t.is(metricNameOf(name, unit, kind), expected);
	});
}

const labels: readonly (readonly [attribute: string, expected: string | undefined])[] = [
	['hw.state', 'hw_state'],
	['error.type', 'error_type'],
	['a..b', 'a__b'],
	['_private', '_private'],
	['9th', 'key_9th'],
	['schlüssel', 'schl_ssel'],
	['😀a', '_a'],
	['', undefined],
	['...', undefined],
	['__name__', undefined],
	['..a', undefined],
];

for (const [attribute, expected] of labels) {
	test(`the attribute "${attribute}" is the label ${expected}`, t => {
		t.is(labelNameOf(attribute), expected);
	});
}

test('every metric of the bridge has a name of its own that a counter alone ends in _total', t => {
	const translated = Object.values(bridgeMetrics).map(metric => metricNameOf(metric.name, metric.unit, metric.instrument));
	t.is(new Set(translated).size, translated.length);
	for (const [index, {instrument}] of Object.values(bridgeMetrics).entries()) {
		t.is(translated[index]?.endsWith('_total'), instrument === 'counter');
	}
});

const anyText = fc.oneof(fc.string({unit: 'grapheme'}), fc.string({unit: 'binary'}), fc.string());
const anyKind = fc.constantFrom<MetricKind>('counter', 'gauge', 'updowncounter', 'histogram');

test('whatever the name and the unit, the result is a name for Prometheus or none', t => {
	t.notThrows(() =>
		fc.assert(
			fc.property(anyText, anyText, anyKind, (name, unit, kind) => {
				const translated = metricNameOf(name, unit, kind);
				return translated === undefined || /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(translated);
			}),
			{numRuns: 2000},
		),
	);
});

test('whatever the attribute, the result is a label for Prometheus or none', t => {
	t.notThrows(() =>
		fc.assert(
			fc.property(anyText, attribute => {
				const translated = labelNameOf(attribute);
				return translated === undefined || (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(translated) && !translated.startsWith('__'));
			}),
			{numRuns: 2000},
		),
	);
});
