import test from 'ava';
import {otlpReceiverSchema} from '../../../src/receivers/otlp/config.ts';

const faultsOf = (config: unknown) =>
	otlpReceiverSchema.safeParse(config).error?.issues.map(({path, message}) => `${path.join('.')}: ${message}`) ?? [];

test('an empty config listens on loopback with every limit set', t => {
	t.deepEqual(otlpReceiverSchema.parse({}), {
		endpoint: {host: '127.0.0.1', port: 4319},
		insecure: false,
		max_request_size: 20 * 1024 ** 2,
		max_inflated_size: 64 * 1024 ** 2,
		request_timeout: 30_000,
		headers_timeout: 10_000,
		max_connections: 1000,
		max_requests_in_flight: 200,
	});
});

test('beyond loopback it demands a token, a client certificate or insecure by name', t => {
	const tls = {cert_file: 'cert.pem', key_file: 'key.pem'};
	for (const host of ['0.0.0.0:4319', '[::]:4319', '192.0.2.1:4319', 'bridge.example:4319']) {
		t.regex(faultsOf({endpoint: host})[0] ?? '', /^endpoint: .*bearer_token.*client_ca_file.*insecure: true/, host);
		t.is(faultsOf({endpoint: host, tls}).length, 1, 'TLS alone shows nobody who the client is');
		t.deepEqual(faultsOf({endpoint: host, bearer_token: 'x'}), []);
		t.deepEqual(faultsOf({endpoint: host, tls: {...tls, client_ca_file: 'ca.pem'}}), []);
		t.deepEqual(faultsOf({endpoint: host, insecure: true}), []);
	}
	for (const host of ['127.0.0.1:4319', '127.8.8.8:1', '[::1]:4319', 'localhost:4319'])
		t.deepEqual(faultsOf({endpoint: host}), []);
});

test('faults name the key', t => {
	for (const [config, fault] of [
		[{bearer_tokn: 'x'}, /bearer_tokn/],
		[{endpoint: '4319'}, /^endpoint: .*HOST:PORT/],
		[{bearer_token: ''}, /^bearer_token: /],
		[{tls: {cert_file: 'a'}}, /^tls\.key_file: /],
		[{max_request_size: '20 megabytes'}, /^max_request_size: .*not a size/],
		[{max_inflated_size: '2GiB'}, /^max_inflated_size: must be more than 0 and at most 1GiB/],
		[{request_timeout: '0s'}, /^request_timeout: must be more than 0 and at most 1h/],
		[{headers_timeout: 'soon'}, /^headers_timeout: .*not a duration/],
		[{max_connections: 0}, /^max_connections: /],
		[{max_requests_in_flight: 1.5}, /^max_requests_in_flight: /],
		[{rate_limit: {requests_per_second: 0}}, /^rate_limit\.requests_per_second: /],
	] as const) {
		t.regex(faultsOf(config)[0] ?? 'no fault', fault);
	}
});

test('the token is not in what a config prints', t => {
	const config = otlpReceiverSchema.parse({bearer_token: 'hush'});
	t.false(JSON.stringify(config).includes('hush'));
});
