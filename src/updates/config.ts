import {z} from 'zod';
import {byteSize, duration} from '../settings.ts';

const minute = 60_000;

/** Where a manifest is. Its signature is beside it: the same URL and `.sig`. */
function manifestUrl(scheme: 'https' | 'http') {
	const example = `${scheme}://updates.example/callhome-updates.json`;
	return z.string().transform((text, context): URL => {
		const url = URL.parse(text);
		const fault = url ? urlFault(url, scheme) : `is not a URL: write for example ${example}`;
		if (url && !fault) return url;
		context.addIssue({code: 'custom', message: fault ?? ''});
		return z.NEVER;
	});
}

/** The URL stays out of the messages: there may be a password in it. */
function urlFault(url: URL, scheme: 'https' | 'http'): string | undefined {
	if (url.protocol !== `${scheme}:`) {
		return scheme === 'https'
			? 'must begin with https://; a plain one that is asked when no HTTPS path works is http_url'
			: 'must begin with http://: the HTTPS one is url';
	}
	if (url.username || url.password || url.search || url.hash) return 'must have no user, password, query or fragment in it';
	return url.pathname.endsWith('.json') ? undefined : 'must end in .json: it names the manifest, and the signature is beside it';
}

const file = z.string().min(1);

/** `destinations.updates` of the config file. There is no default: without it nothing is fetched. */
export const updatesSchema = z.strictObject({
	url: manifestUrl('https'),
	/** PEM file with authorities that are trusted for the host of `url`, beside the public ones, and for no server that something is sent to. */
	ca_file: file.optional(),
	/** Ed25519 public keys in PEM or base64, one to a file. A manifest counts that any of them has signed. */
	public_key_file: z
		.union(
			[file, z.array(file).min(1, 'names no file: name one with the public key').max(8)],
			'names a file with the public key, or a list of up to eight of them',
		)
		.transform(files => [files].flat()),
	/** The same manifest over plain HTTP, asked for only while no HTTPS path works. */
	http_url: manifestUrl('http').optional(),
	interval: duration
		.refine(millis => millis >= minute && millis <= 7 * 24 * 60 * minute, 'must be at least 1m and at most 7d')
		.default(24 * 60 * minute),
	max_program_size: byteSize.default(100 * 1024 ** 2),
});
export type UpdatesConfig = z.output<typeof updatesSchema>;
