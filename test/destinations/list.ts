import test from 'ava';
import {type DestinationsConfig, destinationsSchema, destinationUpdateSchema} from '../../src/destinations/config.ts';
import {addressesOf, applyUpdate, destinationsOf, serversFor} from '../../src/destinations/list.ts';
import {listOf} from '../../src/destinations/table.ts';

const configured = (settings: object = {}): DestinationsConfig => destinationsSchema.parse(settings);
const hostsOf = (...args: Parameters<typeof serversFor>) => serversFor(...args).map(({host, ports}) => `${host}:${ports}`);

test("without a word in the file, today's list holds, and there are no servers of updates", t => {
	const destinations = destinationsOf(configured());
	t.deepEqual(destinations, listOf('today'));
	t.deepEqual(hostsOf(destinations, 'configuration_updates'), []);
	t.deepEqual(destinationsOf(configured({generation: 'white_paper_2015'})), listOf('white_paper_2015'));
});

test('an own list replaces that of its purpose alone, the first is the primary', t => {
	const destinations = destinationsOf(
		configured({extended_error_data: [{host: 'Uploads.Example'}, {host: '2001:db8::7', port: 8443}]}),
	);
	t.deepEqual(hostsOf(destinations, 'extended_error_data'), ['uploads.example:443', '2001:db8::7:8443']);
	t.deepEqual(hostsOf(destinations, 'problem_reporting'), ['esupport.ibm.com:443']);
	t.deepEqual(
		destinations.map(({generation}) => generation),
		['today', 'today', 'configured'],
	);
});

test("an endpoint of the exporter's own is the primary of what it sends, and IBM is no backup of it", t => {
	const endpoint = new URL('https://callhome.example:8443/connect/api/v2?space=test');
	const destinations = destinationsOf(configured(), {endpoint});
	const own = {host: 'callhome.example', ports: [8443], addresses: [], path: '/connect/api/v2?space=test'};
	t.deepEqual(serversFor(destinations, 'problem_reporting'), [own]);
	t.deepEqual(serversFor(destinations, 'service_information'), [own]);
	t.deepEqual(hostsOf(destinations, 'extended_error_data'), ['www.ecurep.ibm.com:443', 'www.secure.ecurep.ibm.com:443']);
	const withBackup = configured({problem_reporting: [{host: 'backup.example'}]});
	t.deepEqual(hostsOf(destinationsOf(withBackup, {endpoint}), 'problem_reporting'), [
		'callhome.example:8443',
		'backup.example:443',
	]);
});

test('an endpoint that is the default, or is listed already, changes nothing', t => {
	const endpoint = new URL('https://esupport.ibm.com/connect/api/v1');
	t.deepEqual(destinationsOf(configured(), {endpoint}), listOf('today'));
	t.deepEqual(destinationsOf(configured({generation: 'white_paper_2015'}), {endpoint}), listOf('white_paper_2015'));
	const listed = configured({problem_reporting: [{host: '::1', port: 8443, path: '/x'}]});
	t.deepEqual(hostsOf(destinationsOf(listed, {endpoint: new URL('https://[::1]:8443/x')}), 'problem_reporting'), ['::1:8443']);
});

test('where updates are fetched is the primary of configuration updates, plain HTTP after it', t => {
	const updates = {
		url: new URL('https://updates.example/a/updates.json'),
		http_url: new URL('http://updates.example/a/updates.json'),
	};
	const destinations = destinationsOf({...configured({configuration_updates: [{host: 'mirror.example'}]}), updates});
	t.deepEqual(hostsOf(destinations, 'configuration_updates'), [
		'updates.example:443',
		'updates.example:80',
		'mirror.example:443',
	]);
	t.is(serversFor(destinations, 'configuration_updates')[0]?.path, '/a/updates.json');
});

test('an update replaces what was published and leaves what the operator wrote', t => {
	const base = destinationsOf(configured({extended_error_data: [{host: 'uploads.example'}]}));
	const update = destinationUpdateSchema.parse({
		problem_reporting: [{host: 'new.example', addresses: ['192.0.2.1']}],
		extended_error_data: [{host: 'other.example'}],
		configuration_updates: [{host: 'updates.example'}, {host: 'updates.example', port: 80}],
	});
	const updated = applyUpdate(base, update);
	t.deepEqual(hostsOf(updated, 'problem_reporting'), ['new.example:443']);
	t.deepEqual(hostsOf(updated, 'service_information'), ['esupport.ibm.com:443']);
	t.deepEqual(hostsOf(updated, 'extended_error_data'), ['uploads.example:443']);
	t.deepEqual(hostsOf(updated, 'configuration_updates'), ['updates.example:443', 'updates.example:80']);
	t.deepEqual(applyUpdate(updated, update), updated, 'again, it changes nothing');
});

test('an update that changes nothing, knows other keys or uploads over port 80 is none', t => {
	for (const value of [
		{},
		{generation: 'today', problem_reporting: [{host: 'a.example'}]},
		{allow_loopback: true, problem_reporting: [{host: 'a.example'}]},
		{problem_reporting: []},
		{problem_reporting: [{host: 'a.example', port: 80}]},
		{configuration_updates: [{host: 'a.example', port: 80}]},
		[],
		'text',
	]) {
		t.false(destinationUpdateSchema.safeParse(value).success, JSON.stringify(value));
	}
});

test('a site without DNS knows the listed addresses of a name, each once', t => {
	t.deepEqual(addressesOf(listOf('today'), 'ESUPPORT.ibm.com'), ['192.148.6.11']);
	t.deepEqual(addressesOf(listOf('white_paper_2015'), 'www-945.ibm.com'), ['129.42.26.224', '129.42.50.224', '129.42.42.224']);
	t.deepEqual(addressesOf(listOf('today'), 'www.ecurep.ibm.com'), []);
});
