import {z} from 'zod';
import {type ProxyConfig, proxyUrl} from './proxy-url.ts';

/** One way out, as configured. */
export type ConnectionConfig = {readonly direct: Readonly<Record<string, never>>} | {readonly proxy: ProxyConfig};

const proxySchema = z
	.strictObject({url: proxyUrl, ca_file: z.string().min(1).optional()})
	.transform(({url, ca_file}, context) => {
		if (ca_file !== undefined && url.protocol === 'http') {
			context.addIssue({
				code: 'custom',
				path: ['ca_file'],
				message:
					'is only of use for an https:// proxy; for a proxy that opens the TLS to the destination, set the ca_file of the exporter',
			});
		}
		return {...url, ...(ca_file !== undefined && {caFile: ca_file})};
	});

const connectionSchema = z
	.strictObject({direct: z.strictObject({}).optional(), proxy: proxySchema.optional()})
	.transform(({direct, proxy}, context): ConnectionConfig => {
		if (proxy && !direct) return {proxy};
		if (direct && !proxy) return {direct: {}};
		context.addIssue({
			code: 'custom',
			message: 'is to be either "direct: {}" or "proxy: {url: …}"; each way out is an entry of its own',
		});
		return z.NEVER;
	});

/** `connections` of the config file: the ways out, in the order in which they are tried. */
export const connectionsSchema = z
	.array(connectionSchema)
	.min(1, 'needs at least one entry, such as "direct: {}"')
	.default([{direct: {}}]);
