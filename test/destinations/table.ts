import test from 'ava';
import {listOf} from '../../src/destinations/table.ts';

/** Table 1 of the white paper, as printed: address, ports, host, purpose. */
const printed = `
207.25.252.197  443      eccgw01.boulder.ibm.com   service_information
129.42.160.51   443      eccgw02.rochester.ibm.com service_information
129.42.26.224   443      www-945.ibm.com           problem_reporting
129.42.50.224   443      www-945.ibm.com           problem_reporting
129.42.42.224   443      www-945.ibm.com           problem_reporting
170.225.15.41   443      www6.software.ibm.com     extended_error_data
192.109.81.20   443      www.ecurep.ibm.com        extended_error_data
204.146.30.17   80,443   www-03.ibm.com            configuration_updates
129.42.54.216   80,443   www.ibm.com               configuration_updates
129.42.56.216   80,443   www.ibm.com               configuration_updates
129.42.60.216   80,443   www.ibm.com               configuration_updates
`;

const rowsOf = (generation: 'today' | 'white_paper_2015') =>
	listOf(generation).flatMap(({purpose, servers}) =>
		servers.flatMap(({host, ports, addresses}) =>
			addresses.map(address => [address, ports.toSorted((one, other) => one - other).join(), host, purpose].join(' ')),
		),
	);

test('the list of 2015 has the eleven rows of the white paper and no other', t => {
	const rows = printed
		.trim()
		.split('\n')
		.map(row => row.replaceAll(/ +/g, ' '));
	t.is(rows.length, 11);
	t.deepEqual(rowsOf('white_paper_2015').toSorted(), rows.toSorted());
	t.deepEqual(
		listOf('white_paper_2015').map(({servers}) => servers.map(({host}) => host)),
		[
			['www-945.ibm.com'],
			['eccgw01.boulder.ibm.com', 'eccgw02.rochester.ibm.com'],
			['www6.software.ibm.com', 'www.ecurep.ibm.com'],
			['www-03.ibm.com', 'www.ibm.com'],
		],
		'a name with several addresses is one server, the primary is first',
	);
});

test("today's list is what open clients use, with the one address that is published", t => {
	t.deepEqual(listOf('today'), [
		{
			purpose: 'problem_reporting',
			generation: 'today',
			servers: [{host: 'esupport.ibm.com', ports: [443], addresses: ['192.148.6.11'], path: '/connect/api/v1'}],
		},
		{
			purpose: 'service_information',
			generation: 'today',
			servers: [{host: 'esupport.ibm.com', ports: [443], addresses: ['192.148.6.11'], path: '/connect/api/v1'}],
		},
		{
			purpose: 'extended_error_data',
			generation: 'today',
			servers: [
				{host: 'www.ecurep.ibm.com', ports: [443], addresses: [], path: '/app'},
				{host: 'www.secure.ecurep.ibm.com', ports: [443], addresses: [], path: '/app'},
			],
		},
	]);
});

test('only configuration updates know port 80, and HTTPS comes before it', t => {
	for (const {purpose, generation, servers} of [...listOf('today'), ...listOf('white_paper_2015')]) {
		for (const {host, ports} of servers) {
			t.is(ports[0], 443, host);
			t.is(ports.includes(80), purpose === 'configuration_updates' && generation === 'white_paper_2015', host);
		}
	}
});
