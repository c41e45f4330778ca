import {z} from 'zod';
import {duration, endpoint, isLoopback, secret} from '../settings.ts';
import {sandboxModes} from './modes.ts';

/** `sandbox:` in the configuration file. Everything has a default. */
export const sandboxSchema = z
	.strictObject({
		/** Port 0 takes a free one. */
		endpoint: endpoint.prefault('127.0.0.1:0'),
		/** Lets the sandbox listen beyond loopback although it takes any keys. */
		insecure: z.boolean().default(false),
		/** From the acceptance of a service event until its case number can be asked for. */
		case_delay: duration.prefault('1s'),
		/** A service event that comes again under its id joins its case. Whether IBM does so is not known. */
		duplicate_detection: z.boolean().default(true),
		/** Without keys here any pair is taken that is not empty. */
		api_key: secret.optional(),
		private_key: secret.optional(),
		/** Serial number of a system, and the text with which IBM refuses it a case. */
		business_errors: z.record(z.string(), z.string().min(1)).default({}),
		/** How long a client may take over one request. */
		request_timeout: duration.prefault('30s'),
		mode: z.enum(sandboxModes).default('normal'),
		/** How often the mode strikes. */
		probability: z.number().min(0).max(1).default(1),
		/** For throttled and unavailable; without it there is no Retry-After. */
		retry_after: duration.optional(),
		/** For slow. */
		delay: duration.prefault('5s'),
	})
	.superRefine((config, context) => {
		if ((config.api_key === undefined) !== (config.private_key === undefined)) {
			context.addIssue({
				code: 'custom',
				path: ['private_key'],
				message: 'api_key and private_key go together: set both or neither',
			});
		}
		if (!isLoopback(config.endpoint) && config.api_key === undefined && !config.insecure) {
			const message = `${config.endpoint.host} can be reached from other machines: set api_key and private_key, or insecure: true`;
			context.addIssue({code: 'custom', path: ['endpoint'], message});
		}
	});
export type SandboxConfig = z.output<typeof sandboxSchema>;
