import {z} from 'zod';
import type {Purpose, Server} from '../destination.ts';
import {BridgeError, toError} from '../errors.ts';
import {hasRepeatedKey, parseJson} from './json.ts';
import {compareVersions} from './versions.ts';

/**
What an update server offers. Two files lie beside each other there:

	callhome-updates.json      the manifest: JSON in UTF-8, at most 256 KiB
	callhome-updates.json.sig  the Ed25519 signature over the manifest's exact bytes, in base64

	{
	  "format": 1,
	  "serial": 7,                                    grows with each manifest; a smaller one is refused as a rollback
	  "issued_at": "2026-11-23T12:00:00Z",
	  "expires_at": "2027-02-23T12:00:00Z",           issue it anew before: after that it is taken from nobody
	  "destinations": {                               as in the config file; optional, like the two below
	    "problem_reporting": [{"host": "esupport.ibm.com", "port": 443, "addresses": [], "path": "/connect/api/v1"}]
	  },
	  "rules": {"version": "3", "url": "https://…", "sha256": "…", "size": 2048},
	  "program": {"version": "0.2.0", "url": "https://…", "sha256": "…", "size": 1048576}
	}

`rules` is a YAML list as `processors.serviceability` of the config file has it, `program` the npm package of the bridge. A manifest
is the whole of what is offered: what it leaves out is as without an update. No key may be missing, unknown or there twice.
*/
export type Manifest = {
	readonly serial: number;
	/** Unix milliseconds, both. */
	readonly issuedAt: number;
	readonly expiresAt: number;
	readonly destinations: DestinationUpdate;
	readonly rules: Download | undefined;
	readonly program: Download | undefined;
};

/** The servers of those purposes that an update changes. */
export type DestinationUpdate = {readonly [purpose in Purpose]?: readonly Server[] | undefined};

export type Download = {
	readonly version: string;
	readonly url: URL;
	/** In lower-case hexadecimal digits. */
	readonly sha256: string;
	/** Bytes. */
	readonly size: number;
};

export const maxManifestSize = 256 * 1024;
export const maxRulesSize = 1024 ** 2;
const knownFormat = 1;

const time = z.iso
	.datetime({offset: true, error: 'is not a time such as 2026-11-23T12:00:00Z'})
	.transform(text => Date.parse(text));

const httpsUrl = z
	.string()
	.max(2000)
	.transform((text, context): URL => {
		const url = URL.parse(text);
		if (url?.protocol === 'https:' && !url.username && !url.password && !url.hash) return url;
		context.addIssue({
			code: 'custom',
			message: 'is not an https:// URL without user, password and fragment: rules and programs never come over plain HTTP',
		});
		return z.NEVER;
	});

/** A version becomes part of a file's name. */
const version = z
	.string()
	.regex(/^[0-9A-Za-z](?:[0-9A-Za-z.+-]{0,62}[0-9A-Za-z])?$/, 'is not a version: up to 64 letters, digits, ".", "+" and "-"');
/** One that has an order: of another nobody could say that it is older. */
const semanticVersion = version.refine(
	text => compareVersions(text, text) !== undefined,
	'is not the version of a program, such as 1.2.3',
);

const downloadSchema = (version: z.ZodType<string>, maxSize: number) =>
	z.strictObject({
		version,
		url: httpsUrl,
		sha256: z.string().regex(/^[0-9a-f]{64}$/, 'is not a SHA-256: 64 lower-case hexadecimal digits'),
		size: z.int().min(1).max(maxSize),
	});

const formatSchema = z.looseObject({format: z.int()});

const manifestSchema = (destinations: z.ZodType<DestinationUpdate>) =>
	z
		.strictObject({
			format: z.literal(knownFormat),
			serial: z.int().min(1),
			issued_at: time,
			expires_at: time,
			destinations: destinations.optional(),
			rules: downloadSchema(version, maxRulesSize).optional(),
			program: downloadSchema(semanticVersion, Number.MAX_SAFE_INTEGER).optional(),
		})
		.refine(({issued_at, expires_at}) => issued_at < expires_at, {path: ['expires_at'], error: 'is not after issued_at'});

export type ReadManifest = (bytes: Uint8Array) => Manifest;

/** Reads a manifest whose signature has been checked. Throws ERR_TOO_LARGE or ERR_MALFORMED. */
export function createManifestReader(destinations: z.ZodType<DestinationUpdate>): ReadManifest {
	const schema = manifestSchema(destinations);
	return function readManifest(bytes) {
		if (bytes.length > maxManifestSize) {
			throw new BridgeError('ERR_TOO_LARGE', `the manifest of the update server is larger than ${maxManifestSize} bytes`);
		}
		const {text, value} = parsed(bytes);
		const format = formatSchema.safeParse(value).data?.format;
		if (format !== undefined && format !== knownFormat) {
			throw malformed(
				`has format ${format}, and this version of the bridge knows only ${knownFormat}: update the bridge by hand`,
			);
		}
		const {data, error} = schema.safeParse(value);
		if (!data) throw malformed(`is not in the right form: ${faultsOf(error)}`);
		if (hasRepeatedKey(text, value)) throw malformed('has a key twice in one object');
		const {serial, issued_at, expires_at, destinations = {}, rules, program} = data;
		return {serial, issuedAt: issued_at, expiresAt: expires_at, destinations, rules, program};
	};
}

const malformed = (fault: string): BridgeError => new BridgeError('ERR_MALFORMED', `the manifest of the update server ${fault}`);

function parsed(bytes: Uint8Array) {
	try {
		return parseJson(bytes);
	} catch (cause) {
		throw malformed(`is not JSON in UTF-8: ${toError(cause).message.slice(0, 200)}`);
	}
}

/** The first few, in one line. */
const faultsOf = (error: z.ZodError | undefined): string =>
	(error?.issues ?? [])
		.slice(0, 5)
		.map(({path, message}) => `${path.map(String).join('.') || 'the whole'}: ${message}`)
		.join('; ');
