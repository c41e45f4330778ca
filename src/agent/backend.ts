import {join} from 'node:path';
import {callHomeConnectSchema, hasCredentials} from '../../exporters/call-home-connect/config.ts';
import {envelopeOf} from '../../exporters/call-home-connect/envelope.ts';
import {createCallHomeConnectExporter} from '../../exporters/call-home-connect/exporter.ts';
import {transactionIdOf} from '../../exporters/call-home-connect/ids.ts';
import type {Config} from '../config.ts';
import {BridgeError} from '../errors.ts';
import type {Exporter} from '../exporter.ts';
import type {System} from '../problem.ts';
import {createSandbox} from '../sandbox/server.ts';
import {redact, type Secret} from '../secret.ts';
import {readAuthorities} from '../sending/authorities.ts';
import type {Submission} from '../submission.ts';
import {noteSandboxUrl} from './sandbox-url.ts';
import type {Vouched} from './trust.ts';

/** Where submissions go, and what the rest has to know of it. */
export type Backend = Vouched & {
	readonly exporter: Exporter;
	/** Host and port, as metrics and messages name it. */
	readonly destination: string;
	readonly hasCredentials: boolean;
	readonly caseQuery: {readonly intervalMillis: number; readonly count: number};
	readonly mintTransactionId: (system: System, at: number, problemId: string) => string;
	/** The sandbox's address, when it is what submissions go to. */
	readonly sandbox: URL | undefined;
};

/** Opens the configured backend; what it holds is let go with the stack. */
export async function openBackend(config: Config, stack: AsyncDisposableStack): Promise<Backend> {
	const {call_home_connect: ibm, sandbox} = config.exporter;
	if (ibm) return toBackend(config, ibm, undefined);
	if (!sandbox) throw new BridgeError('ERR_CONFIG', 'exporter: name call_home_connect or sandbox');
	const server = createSandbox({...sandbox, directory: join(config.store.directory, 'sandbox')});
	stack.defer(() => server.shutdown());
	await server.start();
	const url = server.url();
	noteSandboxUrl(config.store.directory, url);
	return toBackend(config, sandboxOptions(sandbox, url.href, server.caFile), url);
}

/** The real exporter in front of the sandbox: what is tried out is what will run. The keys mean nothing there. */
const sandboxOptions = (
	sandbox: {api_key?: Secret | undefined; private_key?: Secret | undefined},
	endpoint: string,
	caFile?: string,
) =>
	callHomeConnectSchema.parse({
		customer_number: '0000000',
		api_key: sandbox.api_key ?? 'sandbox',
		private_key: sandbox.private_key ?? 'sandbox',
		endpoint,
		...(caFile === undefined ? {} : {ca_file: caFile}),
		target_space: 'test',
		case_query: {interval: '1s', count: 30},
		timeout: '20s',
	});

const partiesOf = ({contact, location = {country: ''}}: Config) => ({contact, location});

/** The very text that would leave for a submission, with the keys taken out. Nothing is opened and nothing is sent. */
export function createPreview(config: Config): (submission: Submission) => string {
	const {call_home_connect: ibm, sandbox} = config.exporter;
	const options = ibm ?? sandboxOptions(sandbox ?? {}, 'https://localhost/');
	const secrets = [options.api_key, options.private_key].filter(key => key !== undefined);
	return submission => redact(JSON.stringify(envelopeOf(submission, options, partiesOf(config))), secrets);
}

function toBackend(
	config: Config,
	options: NonNullable<Config['exporter']['call_home_connect']>,
	sandbox: URL | undefined,
): Backend {
	return {
		exporter: createCallHomeConnectExporter(options, partiesOf(config)),
		destination: options.endpoint.host,
		authorities: options.ca_file === undefined ? [] : readAuthorities(options.ca_file),
		pins: options.pins,
		hasCredentials: hasCredentials(options),
		caseQuery: {intervalMillis: options.case_query.interval, count: options.case_query.count},
		mintTransactionId: (system, createdAt, discriminator) =>
			transactionIdOf({type: 'hardware_alert', system, createdAt, discriminator, agent: options.agent}),
		sandbox,
	};
}
