import {existsSync, readFileSync} from 'node:fs';
import {dirname, isAbsolute, join} from 'node:path';
import {z} from 'zod';
import {callHomeConnectSchema} from '../exporters/call-home-connect/config.ts';
import {type Fault, type Path, printPath, readSource, type Source} from './config-source.ts';
import {destinationsSchema} from './destinations/config.ts';
import {BridgeError, toError} from './errors.ts';
import {telemetrySchema} from './own-telemetry/config.ts';
import {knownSystemSchema, processorsSchema, systemSchema} from './processors/config.ts';
import {alertmanagerSchema} from './receivers/alertmanager/config.ts';
import {cimReceiverSchema} from './receivers/cim/config.ts';
import {hostReceiverSchema} from './receivers/host/config.ts';
import {otlpReceiverSchema} from './receivers/otlp/config.ts';
import {selectionSchema} from './receivers/otlp/selection.ts';
import {redfishReceiverSchema} from './receivers/redfish/config.ts';
import {snmpReceiverSchema} from './receivers/snmp/config.ts';
import {sandboxSchema} from './sandbox/config.ts';
import {connectionsSchema} from './sending/connections-config.ts';
import {retrySchema} from './sending/retry.ts';
import {serviceInformationSchema} from './service-information/heartbeat.ts';
import {byteSize, duration, type Endpoint, isLoopback} from './settings.ts';
import {supportProxySchema} from './support-proxy/config.ts';
import {updatesSchema} from './updates/config.ts';

const text = (max: number) => z.string().min(1).max(max);

const contactSchema = z.strictObject({
	organization: text(200).optional(),
	name: text(200).optional(),
	email: z.email('is not an e-mail address').optional(),
	phone: text(50).optional(),
});

const locationSchema = z.strictObject({
	country: z.string().regex(/^[A-Z]{2}$/, 'is not a country: two letters as in ISO 3166-1, such as CH'),
	state: text(100).optional(),
	city: text(100).optional(),
	postal_code: text(20).optional(),
	street: text(200).optional(),
});

const exporterMissing = 'is missing: name call_home_connect (IBM), or sandbox: {} (the built-in stand-in)';

const exporterSchema = z
	.strictObject(
		{
			call_home_connect: callHomeConnectSchema.optional(),
			sandbox: sandboxSchema.optional(),
			retry_on_failure: retrySchema.prefault({}),
		},
		// Undefined leaves the usual message, such as that of an unknown key.
		{error: ({code, input}) => (code === 'invalid_type' && input === undefined ? exporterMissing : undefined)},
	)
	.refine(({call_home_connect, sandbox}) => (call_home_connect === undefined) !== (sandbox === undefined), {
		message: 'name exactly one: call_home_connect (IBM) or sandbox (the built-in stand-in)',
	});

const storeSchema = z.strictObject({
	directory: z.string().min(1).default('./.callhome'),
	/** The store refuses further events before it grows beyond this; without it, when the disk is full. */
	max_size: byteSize.optional(),
	/** Submissions that may wait; beyond it producers are asked to come again later. */
	queue_capacity: z.int().min(1).default(100_000),
	/** Closed problems are forgotten after this time, with their events and what was sent for them. */
	retention: duration.default(400 * 86_400_000),
	/** What was sent and answered without a problem, such as heartbeats, is forgotten after this time; its digest stays in the ledger. */
	routine_retention: duration.default(30 * 86_400_000),
	/** How often the whole ledger is verified. An alert tells when that has not been done for three hours. */
	ledger_verification: duration
		.refine(millis => millis >= 1000 && millis <= 3_600_000, {message: 'must be from 1s to 1h'})
		.default(3_600_000),
});

/** What the operator allows to leave. Nothing is allowed by default (G5). */
const consentSchema = z.strictObject({
	cases: z.boolean().default(false),
	diagnostics: z.boolean().default(false),
	inventory: z.boolean().default(false),
});

export const configSchema = z
	.strictObject({
		system: systemSchema.optional(),
		systems: z.array(knownSystemSchema).default([]),
		contact: contactSchema.prefault({}),
		location: locationSchema.optional(),
		receivers: z
			.strictObject({
				otlp: otlpReceiverSchema.prefault({}),
				host: hostReceiverSchema.optional(),
				redfish: redfishReceiverSchema.optional(),
				alertmanager: alertmanagerSchema.optional(),
				cim: cimReceiverSchema.optional(),
				snmp: snmpReceiverSchema.optional(),
			})
			.prefault({}),
		selection: selectionSchema.prefault({}),
		processors: processorsSchema.prefault({}),
		service_information: serviceInformationSchema.prefault({}),
		connections: connectionsSchema.prefault([{direct: {}}]),
		destinations: destinationsSchema.extend({updates: updatesSchema.optional()}).prefault({}),
		support_proxy: supportProxySchema.optional(),
		exporter: exporterSchema,
		consent: consentSchema.prefault({}),
		telemetry: telemetrySchema.prefault({}),
		store: storeSchema.prefault({}),
	})
	.refine(({exporter, location}) => !exporter.call_home_connect || location, {
		path: ['location'],
		message: 'is missing: IBM needs at least location.country to open a case',
	})
	.superRefine(({connections, support_proxy: own}, context) => {
		for (const [index, {way}] of connections.entries()) {
			if (!own || way.kind !== 'proxy' || !way.proxy || !isWithin(own.endpoint, way.proxy)) continue;
			const message = 'is the support proxy of this bridge, which goes out over these connections: name the proxy beyond it';
			context.addIssue({code: 'custom', path: ['connections', index, 'proxy', 'url'], message});
		}
	});
export type Config = z.output<typeof configSchema>;

const isEverywhere = ({host}: Endpoint): boolean => host === '0.0.0.0' || host === '::';
const plainHost = ({host}: Endpoint): string => (host === 'localhost' ? '127.0.0.1' : host);

/** Whether what listens at one of them is what is asked at the other. */
const isWithin = (listening: Endpoint, asked: Endpoint): boolean =>
	listening.port === asked.port && (plainHost(listening) === plainHost(asked) || (isEverywhere(listening) && isLoopback(asked)));

/** Keys of the public contract that this version does not have: said by name, instead of "unknown". */
const notYet = new Set(['console', 'redaction', 'notifications']);

/** What `run` works with when there is no file: everything on this machine, nothing reaches IBM. */
export const embeddedConfig = `
system: {name: this machine, machine_type: "8871", model: AC1, serial_number: SANDBOX}
contact: {organization: Sandbox}
location: {country: US}
exporter: {sandbox: {}}
consent: {cases: true, inventory: true}
`;

export const printFaults = (source: string, faults: readonly Fault[]): string =>
	faults
		.map(({line, path, message}) => `${source}${line > 0 ? `:${line}` : ''}: ${path ? `${path}: ` : ''}${message}`)
		.join('\n');

export type Loaded = {
	/** The file's name, or `embedded defaults`. */
	readonly source: string;
	readonly embedded: boolean;
	/** Undefined when there are faults. */
	readonly config: Config | undefined;
	readonly faults: readonly Fault[];
	/** The line on which a setting stands. Undefined when there is no text. */
	readonly lineOf?: Source['lineOf'];
};

/** Reads a file, `callhome.yaml` when none is named, or what is embedded when there is none. All faults at once, each with its line. */
export function readConfig(file: string | undefined, environment = process.env): Loaded {
	const source = file ?? (existsSync('callhome.yaml') ? 'callhome.yaml' : undefined);
	if (source === undefined)
		return {source: 'embedded defaults', embedded: true, ...parseConfig(embeddedConfig, '.', environment)};
	try {
		return {source, embedded: false, ...parseConfig(readFileSync(source, 'utf8'), dirname(source), environment)};
	} catch (error) {
		const fault = {line: 0, path: '', message: `cannot be read: ${toError(error).message}`};
		return {source, embedded: false, config: undefined, faults: [fault]};
	}
}

/** A configuration without a fault, or an error that lists them all. */
export function loadConfig(file: string | undefined, environment = process.env): Loaded & {readonly config: Config} {
	const loaded = readConfig(file, environment);
	const {config, source, faults} = loaded;
	if (!config) throw new BridgeError('ERR_CONFIG', printFaults(source, faults));
	return {...loaded, config};
}

export function parseConfig(
	content: string,
	directory: string,
	environment: NodeJS.ProcessEnv,
): Pick<Loaded, 'config' | 'faults' | 'lineOf'> {
	const source = readSource(content, directory, environment);
	const unreadable = source.faults.some(({path}) => path === '');
	const parsed = configSchema.safeParse(source.value);
	const issues = parsed.success || unreadable ? [] : parsed.error.issues.flatMap(issue => toFaults(issue, source));
	const faults = [...source.faults, ...issues].toSorted((one, other) => one.line - other.line);
	const config = faults.length === 0 && parsed.success ? withStoreIn(directory, parsed.data) : undefined;
	return {config, faults, lineOf: source.lineOf};
}

/** Each command finds the store of the bridge whose configuration it reads, wherever it is started. */
function withStoreIn(directory: string, config: Config): Config {
	const {store} = config;
	return isAbsolute(store.directory) ? config : {...config, store: {...store, directory: join(directory, store.directory)}};
}

function toFaults(issue: z.core.$ZodIssue, source: Source): Fault[] {
	const path = issue.path.map(step => (typeof step === 'number' ? step : String(step)));
	if (issue.code === 'unrecognized_keys') return issue.keys.map(key => unknownKey(path, key, source));
	return [{line: source.lineOf(path), path: printPath(path), message: source.redact(issue.message)}];
}

function unknownKey(path: Path, key: string, source: Source): Fault {
	const message = path.length === 0 && notYet.has(key) ? 'this version does not have it yet' : 'unknown key';
	return {line: source.lineOf(path, key), path: printPath([...path, key]), message};
}
