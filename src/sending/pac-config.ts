import {z} from 'zod';
import type {Secret} from '../secret.ts';
import {secret} from '../settings.ts';

/** A PAC file, and the credentials for the proxies that it names. */
export type PacConfig = {
	readonly source: {readonly file: string} | {readonly url: URL};
	/** PEM file with authorities that are trusted for the TLS to the server that has the PAC file. */
	readonly caFile?: string;
	readonly username?: string;
	readonly password?: Secret;
	/** DIRECT in the PAC file is followed. Otherwise it is passed over. */
	readonly allowDirect: boolean;
};

// Basic authentication cannot carry a colon in the name, SOCKS5 not more than 255 bytes (RFC 7617, RFC 1929).
const username = z
	.string()
	.min(1)
	.refine(text => !text.includes(':'), 'has a ":" in it, which Basic authentication cannot carry')
	.refine(isCarried, 'has to be at most 255 bytes without control characters');

const fields = z.strictObject({
	file: z.string().min(1).optional(),
	url: z.string().optional(),
	ca_file: z.string().min(1).optional(),
	username: username.optional(),
	password: secret
		.refine(value => isCarried(value.reveal()), 'has to be at most 255 bytes without control characters')
		.optional(),
	allow_direct: z.boolean().default(false),
});

export const pacShape = fields.shape;

/** The config key `pac` of a connection, its fields already checked one by one. */
export function toPacConfig(pac: z.output<typeof fields>, fault: (key: string, message: string) => void): PacConfig {
	const {file, ca_file, username, password, allow_direct} = pac;
	const url = pac.url === undefined ? undefined : toPacUrl(pac.url, message => fault('url', message));
	if ((file === undefined) === (pac.url === undefined)) fault('', 'names either a file or a url');
	if (ca_file !== undefined && url?.protocol !== 'https:') fault('ca_file', 'is only of use for an https:// url');
	if ((username === undefined) !== (password === undefined)) {
		fault(username === undefined ? 'password' : 'username', 'is of use only together: give both username and password');
	}
	return {
		source: url ? {url} : {file: file ?? ''},
		...(ca_file !== undefined && {caFile: ca_file}),
		...(username !== undefined && {username}),
		...(password !== undefined && {password}),
		allowDirect: allow_direct,
	};
}

/** No message repeats the URL: there may be a password in it. */
function toPacUrl(text: string, fault: (message: string) => void): URL | undefined {
	if (!URL.canParse(text)) return void fault('is not a URL such as http://wpad.example/proxy.pac');
	const url = new URL(text);
	if (url.protocol !== 'http:' && url.protocol !== 'https:') fault('is not an http:// or https:// URL: for a file write file');
	if (url.username !== '' || url.password !== '') fault('has credentials in it: a PAC file is fetched without any');
	return url;
}

function isCarried(text: string): boolean {
	return Buffer.byteLength(text) <= 255 && !/\p{Cc}/u.test(text);
}
