import type {IncomingMessage, ServerResponse} from 'node:http';
import test, {type ExecutionContext} from 'ava';
import {createCallHomeConnectExporter} from '../../../exporters/call-home-connect/exporter.ts';
import type {Outcome} from '../../../src/outcome.ts';
import {createConnection} from '../../../src/sending/connections.ts';
import {connectionsSchema} from '../../../src/sending/connections-config.ts';
import {type Attempt, throughConnections} from '../../../src/sending/sender.ts';
import {issue, makeAuthority} from '../../helpers/certificates.ts';
import {startConnectProxy} from '../../helpers/connect-proxy.ts';
import {optionsOf, parties, submissionOf} from '../../helpers/submissions.ts';
import {listenTls} from '../../helpers/tls-server.ts';

const authority = await makeAuthority('Test authority');
const issued = await issue(authority, {commonName: 'localhost', hosts: ['localhost']});
const alert = submissionOf('hardware_alert');

type Event = {header: {event_id: string; event_type: string}; body: Record<string, unknown>};

/** Stands for IBM: it takes service events, opens a case for each new one, and answers questions. */
async function startIbm(t: ExecutionContext, before: (event: Event, response: ServerResponse) => boolean = () => false) {
	const cases = new Map<string, string>();
	const events: Event[] = [];
	const answer = async (request: IncomingMessage, response: ServerResponse) => {
		const event: Event = JSON.parse(Buffer.concat(await request.toArray()).toString()).events[0];
		events.push(event);
		const {event_id, event_type} = event.header;
		if (event_type === 'service') cases.set(event_id, `TS${String(cases.size + 1).padStart(9, '0')}`);
		if (before(event, response)) return;
		const asked = [event.body.enable_response_detail_filter ?? []].flat().map(String);
		const transactions = Object.fromEntries(
			asked.flatMap(id => (cases.has(id) ? [[id, {response_object: {problem_id: cases.get(id)}}]] : [])),
		);
		response.end(JSON.stringify({service: 'ibm_callhome_connect', transaction: {rc: 200}, response_state: {transactions}}));
	};
	const url = await listenTls(t, issued, (request, response) => void answer(request, response));
	return {url, cases, events};
}

function senderTo(t: ExecutionContext, endpoint: URL, ways: readonly unknown[]) {
	const attempts: Attempt[] = [];
	const connections = connectionsSchema
		.parse(ways)
		.map(way => createConnection({...way, stageMillis: 15_000}, {ca: [authority.certificate]}));
	t.teardown(() => Promise.all(connections.map(connection => connection.close())));
	const exporter = createCallHomeConnectExporter(optionsOf({endpoint: endpoint.href, timeout: '30s'}), parties);
	const observe = (attempt: Attempt) => attempts.push(attempt);
	const send = throughConnections(connections, exporter, {destination: endpoint.host, observe});
	return {send, attempts, signal: new AbortController().signal};
}

const codeOf = (outcome: Outcome) => ('error' in outcome && 'code' in outcome.error ? outcome.error.code : outcome.status);

test('a fault finds its way past broken proxies, and is sent once', async t => {
	const ibm = await startIbm(t);
	const portal = await listenTls(t, issued, (_request, response) => {
		response.setHeader('Content-Type', 'text/html').end('<title>Login</title>');
	});
	const down = {proxy: {url: 'http://127.0.0.1:1'}};
	const forbidding = await startConnectProxy(t, {instead: socket => socket.end('HTTP/1.1 407 No\r\n\r\n')});
	const capturing = await startConnectProxy(t, {leadsTo: Number(portal.port)});
	const ways = [down, ...[forbidding, capturing].map(({port}) => ({proxy: {url: `http://u:p@127.0.0.1:${port}`}})), {direct: {}}];
	const {send, attempts, signal} = senderTo(t, ibm.url, ways);

	t.like(await send(alert, signal), {status: 'acknowledged', reference: alert.transactionId});
	t.deepEqual(
		attempts.map(({outcome}) => codeOf(outcome)),
		['ERR_CONNECTION_REFUSED', 'ERR_PROXY_AUTHENTICATION', 'ERR_NOT_IBM', 'acknowledged'],
	);
	t.is(ibm.events.length, 1);
});

test('a fault whose reply got lost does not open a second case', async t => {
	let lost = 0;
	const ibm = await startIbm(t, (event, response) => {
		if (event.header.event_type !== 'service') return false;
		lost++;
		response.destroy();
		return true;
	});
	const proxy = await startConnectProxy(t);
	const {send, attempts, signal} = senderTo(t, ibm.url, [{direct: {}}, {proxy: {url: `http://127.0.0.1:${proxy.port}`}}]);

	t.like(await send(alert, signal), {status: 'deferred', uncertain: true, error: {code: 'ERR_CONNECTION_RESET'}});
	t.is(attempts.length, 1, 'the second connection has no turn: the fault may have arrived');
	t.like(await send({...alert, uncertain: true, attempts: 1}, signal), {
		status: 'acknowledged',
		answers: [{transactionId: alert.transactionId, caseNumber: 'TS000000001'}],
	});
	t.is(lost, 1);
	t.is(ibm.cases.size, 1);
});

test('a way that loses every reply does not keep a fault from the next way', async t => {
	const ibm = await startIbm(t);
	const breaking = await listenTls(t, issued, (_request, response) => response.destroy());
	const bad = await startConnectProxy(t, {leadsTo: Number(breaking.port)});
	const {send, signal} = senderTo(t, ibm.url, [{proxy: {url: `http://127.0.0.1:${bad.port}`}}, {direct: {}}]);

	t.like(await send(alert, signal), {status: 'deferred', uncertain: true});
	t.is((await send({...alert, uncertain: true, attempts: 1}, signal)).status, 'acknowledged');
	t.deepEqual(
		ibm.events.map(({header}) => header.event_type),
		['last_contact', 'service'],
	);
});
