import {readFileSync} from 'node:fs';
import type {ExecutionContext} from 'ava';
import {Agent, request} from 'undici';
import type {z} from 'zod';
import {sandboxSchema} from '../../src/sandbox/config.ts';
import {createSandbox, type Sandbox} from '../../src/sandbox/server.ts';
import {temporaryDirectory} from './listen.ts';

export type SandboxSetup = {readonly directory?: string; readonly now?: () => number; readonly random?: () => number};

/** A running sandbox on a free port, gone when the test ends. */
export async function startSandbox(
	t: ExecutionContext,
	config: z.input<typeof sandboxSchema> = {},
	setup: SandboxSetup = {},
): Promise<Sandbox> {
	const directory = setup.directory ?? (await temporaryDirectory(t));
	const sandbox = createSandbox({...sandboxSchema.parse(config), directory}, setup.now, setup.random);
	t.teardown(() => sandbox.shutdown());
	await sandbox.start();
	return sandbox;
}

export type TransactionShape = {
	readonly complete: boolean;
	readonly confirmed: boolean;
	readonly time_ms: number;
	readonly expiry: number;
	readonly response_object: {readonly problem_id?: string; readonly error?: string};
};

/** What a test reads in a reply. Fields that the reply does not have are undefined, whatever their type says. */
export type SandboxJson = {
	readonly service?: string;
	readonly transaction: {readonly rc: number; readonly events: number; readonly [name: string]: unknown};
	readonly events: readonly {readonly header: {readonly rc: number; readonly error?: string}}[];
	readonly response_available: boolean;
	readonly response_state: {
		readonly transactions: {readonly [id: string]: TransactionShape};
		readonly persistence_result: {readonly missing_detail: readonly string[]};
	};
	readonly query_results_error: boolean;
	/** A malformed message's reply. */
	readonly body: {readonly env: {readonly namespace: string}; readonly error: string};
	readonly error: string;
};

export type SandboxReply<T = SandboxJson> = {
	readonly status: number;
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
	readonly text: string;
	/** The reply as JSON. Reading it throws when it is none. */
	readonly json: T;
};
export type RequestOptions = {
	readonly method?: 'POST' | 'GET' | 'PUT' | 'DELETE';
	readonly path?: string;
	readonly headers?: Record<string, string>;
};

/** Talks to a sandbox as a stranger would: real TLS that trusts the sandbox's CA and nothing else. */
export function clientOf(t: ExecutionContext, sandbox: Pick<Sandbox, 'url' | 'caFile'>, connect: Record<string, unknown> = {}) {
	const agent = new Agent({connect: {ca: readFileSync(sandbox.caFile), ...connect}});
	t.teardown(() => agent.destroy());
	return async function post<T = SandboxJson>(
		content: unknown,
		{method = 'POST', path, headers = {}}: RequestOptions = {},
	): Promise<SandboxReply<T>> {
		const url = path === undefined ? sandbox.url() : new URL(path, sandbox.url());
		const body = typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content);
		const response = await request(url, {
			method,
			dispatcher: agent,
			headers: {accept: 'application/json', 'content-type': 'application/json', ...headers},
			...(method !== 'GET' && {body}),
		});
		const text = await response.body.text();
		return {
			status: response.statusCode,
			headers: response.headers,
			text,
			get json() {
				return JSON.parse(text) as T;
			},
		};
	};
}

type Fields = Record<string, unknown>;
const eventTime = {event_time: '2026-11-23 12:00:00', event_time_ms: 1_795_435_200_000};

/** A message of good form, about system 8871-AC1 J1A2B3C. */
export const messageOf = (events: readonly unknown[], fields: Fields = {}) => ({
	agent: 'callhome-test',
	api_key: 'api-key-for-tests-0001',
	private_key: 'private-key-for-tests-0002',
	target_space: 'dev',
	asset: '8871-AC1',
	asset_id: 'J1A2B3C',
	asset_type: 'Power',
	asset_vendor: 'IBM',
	asset_virtual_id: '0000000000000000',
	country_code: 'CH',
	event_id: 'IBM_callhome-test_8871-AC1_J1A2B3C_1795435200000',
	...eventTime,
	software_level: {name: 'firmware_Version', vrmf: '1.2.3'},
	type: 'eccnext_apisv1s',
	version: '1.0.0.1',
	analytics_event_source_type: 'asset_event',
	analytics_type: '8871-AC1',
	analytics_instance: 'J1A2B3C',
	analytics_virtual_id: '0000000000000000',
	analytics_group: 'IBM',
	analytics_category: 'Power',
	events,
	...fields,
});

export const eventOf = (type: string, id: string, body: Fields) => ({
	header: {event_type: type, event_id: id, ...eventTime},
	body: {component: 'system', description: 'a test', ...body},
});

export const serviceEvent = (id: string, body: Fields = {}) =>
	eventOf('service', id, {
		context: {origin: 2, timestamp: 1_795_435_200, transid: 1_795_435_200_000},
		customer: '1234567',
		country: 'CH',
		error_type: 'hardware',
		record_type: 1,
		test: false,
		code: 'Fan 3 failed',
		note: 'Fan 3 stands still.',
		payload: {description: 'Fan 3 failed', error_code: 'FAN3'},
		...body,
	});

export const heartbeat = (asked: readonly string[], id = 'last_contact_1') =>
	eventOf('last_contact', id, {enable_response_detail: true, enable_response_detail_filter: asked});
