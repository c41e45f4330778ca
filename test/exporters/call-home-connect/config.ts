import {readFileSync} from 'node:fs';
import {inspect} from 'node:util';
import test from 'ava';
import {callHomeConnectSchema, hasCredentials} from '../../../exporters/call-home-connect/config.ts';

const parse = (config: Record<string, unknown>) => callHomeConnectSchema.safeParse({customer_number: '1234567', ...config});

test('a customer number is enough, and every default is visible', t => {
	const options = callHomeConnectSchema.parse({customer_number: '00AB123'});
	const {version} = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
	t.deepEqual(
		{...options, endpoint: options.endpoint.href},
		{
			customer_number: '00AB123',
			endpoint: 'https://esupport.ibm.com/connect/api/v1',
			target_space: 'prod',
			agent: 'callhome-bridge',
			asset_type: 'Power',
			analytics_group: 'IBM',
			software_level: {name: 'callhome-bridge', vrmf: version},
			timeout: 60_000,
			case_query: {interval: 30_000, count: 10},
			pins: [],
		},
	);
	t.false(hasCredentials(options));
});

test('the exporter is ready with both keys only', t => {
	t.false(hasCredentials(callHomeConnectSchema.parse({customer_number: '1234567', api_key: 'a'})));
	t.false(hasCredentials(callHomeConnectSchema.parse({customer_number: '1234567', private_key: 'b'})));
	t.true(hasCredentials(callHomeConnectSchema.parse({customer_number: '1234567', api_key: 'a', private_key: 'b'})));
});

for (const [what, config] of [
	['a customer number of six', {customer_number: '123456'}],
	['a customer number that is no text', {customer_number: 1234567}],
	['plain HTTP', {endpoint: 'http://esupport.ibm.com/connect/api/v1'}],
	['credentials in the endpoint', {endpoint: 'https://user:hunter2@esupport.ibm.com/'}],
	['an unknown space', {target_space: 'production'}],
	['an unknown key', {api_keys: 'a'}],
	['no time at all', {timeout: '0s'}],
	['an agent with blanks', {agent: 'my agent'}],
	['no questions at all', {case_query: {count: 0}}],
] as const) {
	test(`${what} is a fault of the configuration`, t => {
		const result = parse(config);
		t.false(result.success);
		t.deepEqual(
			result.error?.issues.map(({path, code}) => (code === 'unrecognized_keys' ? ['api_keys'] : path.slice(0, 1))),
			[[Object.keys(config)[0]]],
		);
		t.notRegex(inspect(result.error, {depth: 9}), /hunter2/);
	});
}

test('keys are secrets as soon as they are read', t => {
	const options = callHomeConnectSchema.parse({customer_number: '1234567', api_key: 'hunter2', private_key: 'hunter3'});
	t.notRegex(inspect(options) + JSON.stringify(options), /hunter/);
});
