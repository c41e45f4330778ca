import {readFileSync} from 'node:fs';
import {findPackageJSON} from 'node:module';
import {z} from 'zod';
import {duration, publicKeyPin, secret} from '../../src/settings.ts';

/** The nearest package.json: the checkout's, or that of the published package, which lies at another depth. */
function ownPackage(): {name: string; version: string} {
	const file = findPackageJSON('..', import.meta.url);
	if (!file) throw new Error('package.json is missing beside the program');
	return z.object({name: z.string(), version: z.string()}).parse(JSON.parse(readFileSync(file, 'utf8')));
}

const {name, version} = ownPackage();

const httpsEndpoint = z.string().transform((value, context): URL => {
	const url = URL.canParse(value) ? new URL(value) : undefined;
	// The value stays out of the message: people write credentials into URLs.
	if (url?.protocol === 'https:' && url.username === '' && url.password === '') return url;
	context.addIssue({
		code: 'custom',
		message:
			'is not an https:// URL without credentials: nothing is uploaded over plain HTTP, and keys have settings of their own',
	});
	return z.NEVER;
});

const word = (max: number) =>
	z.string().regex(new RegExp(`^[0-9A-Za-z._-]{1,${max}}$`), `is not a word of 1 to ${max} letters, digits, ".", "_" and "-"`);
const hourMillis = 3_600_000;
const patience = duration
	.refine(millis => millis >= 1 && millis <= hourMillis, 'must be between 1ms and 1h')
	.transform(Math.ceil);
const line = (max: number) => z.string().min(1).max(max);

/** `exporter.call_home_connect` of the config file. */
export const callHomeConnectSchema = z.strictObject({
	/** The IBM customer number. */
	customer_number: z
		.string({error: 'must be a text: write it in quotes, so that leading zeros stay'})
		.regex(/^[0-9A-Za-z]{7}$/, 'is not an IBM customer number: seven letters or digits'),
	/** IBM gives the two keys to a client product; there is no default. Without them nothing is sent. */
	api_key: secret.optional(),
	private_key: secret.optional(),
	endpoint: httpsEndpoint.default(() => new URL('https://esupport.ibm.com/connect/api/v1')),
	/** PEM file with authorities that are trusted for the endpoint, beside the public ones. */
	ca_file: z.string().min(1).optional(),
	/** One of these public keys has to be in the chain of every server's certificate, besides all else. None: any chain. */
	pins: z.array(publicKeyPin).min(1, 'names no pin: leave it out, or list the present key and a spare one').max(16).default([]),
	target_space: z.enum(['prod', 'dev', 'test']).default('prod'),
	/** Names the client program. */
	agent: word(64).default('callhome-bridge'),
	/** Product line of the systems. */
	asset_type: line(64).default('Power'),
	analytics_group: line(64).default('IBM'),
	/** IBM assigns these two; they steer a case to a queue. */
	routing_identifier: line(64).optional(),
	product_code_identifier: line(64).optional(),
	software_level: z.strictObject({name: line(128).default(name), vrmf: line(128).default(version)}).prefault({}),
	/** For one message over one connection, from the name to the last byte of the reply. */
	timeout: patience.default(60_000),
	/** How often, and how many times, a case number is asked for before that is left to the heartbeats. */
	case_query: z.strictObject({interval: patience.default(30_000), count: z.int().min(1).max(1000).default(10)}).prefault({}),
});
export type CallHomeConnectOptions = z.infer<typeof callHomeConnectSchema>;

/** Without both keys IBM does not know the client: problems are held and shown instead of sent. */
export const hasCredentials = (options: CallHomeConnectOptions): boolean =>
	options.api_key !== undefined && options.private_key !== undefined;

/** Whom IBM asks back, and where the systems stand: `contact` and `location` of the config file. */
export type ServiceParties = {
	readonly contact: {readonly organization?: string; readonly name?: string; readonly email?: string; readonly phone?: string};
	readonly location: {
		/** ISO 3166-1 alpha-2. */
		readonly country: string;
		readonly city?: string;
		readonly street?: string;
		readonly postal_code?: string;
		readonly state?: string;
	};
};
