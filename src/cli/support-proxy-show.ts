import {passingOf, supportProxyRuns} from '../agent/support-proxy.ts';
import type {Config} from '../config.ts';
import {destinationsOf} from '../destinations/list.ts';
import {authority} from '../sending/address.ts';
import type {Passing} from '../support-proxy/allow-list.ts';
import {facts, type Output, table} from './print.ts';

/** Where the support proxy listens, who may use it, exactly what passes, and whether it runs. */
export function showSupportProxy(config: Config): Output {
	const {support_proxy: own, destinations, exporter} = config;
	if (!own) {
		const advice = 'Switch it on with "callhome support-proxy set --endpoint 127.0.0.1:5026".';
		return {json: {configured: false, running: supportProxyRuns(config)}, lines: ['There is no support proxy.', advice]};
	}
	const known = passingOf(config, own, destinationsOf(destinations, {endpoint: exporter.call_home_connect?.endpoint}));
	const running = supportProxyRuns(config);
	const users = own.basic_auth.map(({username}) => username);
	const clients = own.clients.map(({text}) => text);
	const json = {
		configured: true,
		running,
		endpoint: authority(own.endpoint),
		users,
		clients,
		insecure: own.insecure,
		generations: own.generations,
		passes: known.map(passingJson),
		limits: own.limits,
	};
	const lines = [
		`The support proxy is ${running ? 'running' : 'not running: start it with "callhome run", or alone with "callhome support-proxy run"'}.`,
		...facts([
			['Listens', authority(own.endpoint)],
			['Users', users.join(', ') || 'nobody is asked'],
			['Clients', clients.join(', ') || 'from everywhere that reaches it'],
			['Limits', limitsText(own.limits)],
		]),
		'',
		'What passes, and nothing else:',
		...passingTable(known),
		'',
		'An address passes, too, while a listed name stands for it, with the port of the name.',
	];
	return {json, lines};
}

const howOf = ({plain}: Passing) => (plain ? 'GET http://' : 'CONNECT');

const passingJson = ({host, port, purpose, generation, addresses, plain}: Passing) => ({
	host,
	port,
	method: plain ? 'GET' : 'CONNECT',
	purpose,
	generation,
	addresses,
});

const passingTable = (known: readonly Passing[]): string[] =>
	table(
		['HOST', 'PORT', 'HOW', 'PURPOSE', 'LIST', 'ADDRESSES AS LISTED'],
		known.map(passing => [
			passing.host,
			String(passing.port),
			howOf(passing),
			passing.purpose,
			passing.generation,
			passing.addresses.join(', ') || '-',
		]),
	);

const limitsText = (limits: NonNullable<Config['support_proxy']>['limits']): string =>
	`${limits.connections} connections, ${limits.connections_per_client} of one client; a tunnel ${limits.bytes_per_tunnel} bytes, ` +
	`${limits.tunnel_lifetime / 1000} s, ${limits.idle_timeout / 1000} s without a byte`;
