import {z} from 'zod';
import {Secret} from './secret.ts';

const millisOf: Record<string, number> = {ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000};

/** `500ms`, `30s`, `5m`, `2h`, `30d`, or several in a row (`1h30m`), in milliseconds. */
export const duration = z.union([z.string(), z.number()]).transform((value, context) => {
	const text = String(value);
	const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
	if (parts.length === 0 || parts.map(part => part[0]).join('') !== text) {
		context.addIssue({code: 'custom', message: `"${text}" is not a duration: write for example 500ms, 30s, 5m, 2h or 30d`});
		return z.NEVER;
	}
	return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (millisOf[unit ?? ''] ?? 0), 0);
});

const bytesOf: Record<string, number> = {B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3};

/** `64MiB`, `20KiB`, `1GiB`, or a number of bytes. */
export const byteSize = z.union([z.string(), z.number().int().positive()]).transform((value, context) => {
	if (typeof value === 'number') return value;
	const match = /^(\d+) ?(B|KiB|MiB|GiB)$/.exec(value);
	if (!match) {
		context.addIssue({code: 'custom', message: `"${value}" is not a size: write for example 512KiB, 64MiB or a number of bytes`});
		return z.NEVER;
	}
	return Number(match[1]) * (bytesOf[match[2] ?? ''] ?? 0);
});

export type Endpoint = {readonly host: string; readonly port: number};

/** `127.0.0.1:4319`, `[::1]:4319` or `localhost:4319`. Port 0 takes a free one. */
export const endpoint = z.string().transform((value, context): Endpoint => {
	const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/]+)):(\d{1,5})$/.exec(value);
	const port = Number(match?.[3]);
	if (!match || port > 65_535) {
		context.addIssue({code: 'custom', message: `"${value}" is not HOST:PORT: write for example 127.0.0.1:4319`});
		return z.NEVER;
	}
	return {host: match[1] ?? match[2] ?? '', port};
});

export const isLoopback = ({host}: Endpoint): boolean =>
	host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);

/** The keys that say which machine a management module belongs to, where the module does not say it or is not to be believed. */
export const machineKeys = {
	machine_type: z
		.string()
		.regex(/^[0-9A-Za-z]{4}$/, 'is not a machine type: four letters or digits')
		.optional(),
	model: z
		.string()
		.regex(/^[0-9A-Za-z]{1,8}$/, 'is not a model')
		.optional(),
	serial_number: z
		.string()
		.regex(/^[0-9A-Za-z-]{1,32}$/, 'is not a serial number')
		.optional(),
};

/** A secret from the file: the loader has already replaced `${env:NAME}` and read a `*_file`. */
export const secret = z
	.union(
		[z.string().min(1), z.instanceof(Secret)],
		'is missing or no text: write it here, or name a file with the same key and _file',
	)
	.transform(value => (value instanceof Secret ? value : new Secret(value)));

/**
SHA-256 of a public key (SubjectPublicKeyInfo, RFC 7469, section 2.4) in base64: bare, as curl writes it (`sha256//…`), or as
HTTP headers did (`pin-sha256="…"`). What comes out is bare.
*/
export const publicKeyPin = z.string().transform((value, context): string => {
	const pin = /^(?:sha256\/\/?|pin-sha256=)?("?)([A-Za-z\d+/]{43}=)\1$/.exec(value.trim())?.[2];
	if (pin !== undefined && Buffer.from(pin, 'base64').toString('base64') === pin) return pin;
	const message =
		'is not the pin of a public key: write its SHA-256 in base64, 44 characters with "=" at the end, with or without sha256// before it';
	context.addIssue({code: 'custom', message});
	return z.NEVER;
});
