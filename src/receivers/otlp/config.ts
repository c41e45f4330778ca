import {z} from 'zod';
import {byteSize, duration, endpoint, isLoopback, secret} from '../../settings.ts';

const mebibytes = 1024 ** 2;
const timeout = duration.refine(millis => millis > 0 && millis <= 3_600_000, 'must be more than 0 and at most 1h');
const size = byteSize.refine(bytes => bytes > 0 && bytes <= 1024 * mebibytes, 'must be more than 0 and at most 1GiB');

const tls = z.strictObject({
	cert_file: z.string().min(1),
	key_file: z.string().min(1),
	/** With it only clients that hold a certificate from this authority are served. */
	client_ca_file: z.string().min(1).optional(),
});

/** Per client address: so many requests a second in the long run, so many at once. */
const rateLimit = z.strictObject({
	requests_per_second: z.number().positive(),
	burst: z.int().positive().default(100),
});

/** The config key `receivers.otlp`. */
export const otlpReceiverSchema = z
	.strictObject({
		endpoint: endpoint.prefault('127.0.0.1:4319'),
		bearer_token: secret.optional(),
		tls: tls.optional(),
		/** Serves whoever asks, although it listens beyond loopback. */
		insecure: z.boolean().default(false),
		/** Of the body as it comes, compressed or not. */
		max_request_size: size.prefault('20MiB'),
		max_inflated_size: size.prefault('64MiB'),
		/** For the body to arrive once the headers are there. */
		request_timeout: timeout.prefault('30s'),
		headers_timeout: timeout.prefault('10s'),
		max_connections: z.int().positive().default(1000),
		max_requests_in_flight: z.int().positive().default(200),
		rate_limit: rateLimit.optional(),
	})
	.superRefine((config, context) => {
		if (isGuarded(config) || config.insecure || isLoopback(config.endpoint)) return;
		context.addIssue({
			code: 'custom',
			path: ['endpoint'],
			message: `${config.endpoint.host} is beyond loopback: set bearer_token or tls.client_ca_file, or say insecure: true`,
		});
	});
export type OtlpReceiverConfig = z.output<typeof otlpReceiverSchema>;

/** Whether a client has to show who it is. */
export const isGuarded = (config: Pick<OtlpReceiverConfig, 'bearer_token' | 'tls'>): boolean =>
	config.bearer_token !== undefined || config.tls?.client_ca_file !== undefined;
