import {z} from 'zod';
import {byteSize, duration, isLoopback, secret} from '../../settings.ts';

const systemSchema = z
	.strictObject({
		/** The origin of the management module, such as https://bmc.example. */
		url: z.url({protocol: /^https?$/}).transform(text => new URL(text)),
		username: z.string().min(1).max(255),
		password: secret,
		/** Whom to trust instead of the public authorities. */
		ca_file: z.string().min(1).optional(),
		/** Sends the password over plain HTTP beyond loopback. */
		insecure: z.boolean().default(false),
		/** The monitored system's host.name; without it the module's own. */
		name: z.string().min(1).max(255).optional(),
	})
	.refine(({url, insecure}) => url.protocol === 'https:' || insecure || isLoopback({host: url.hostname, port: 0}), {
		path: ['url'],
		message: 'is plain HTTP beyond loopback: write https://, or say insecure: true',
	})
	.refine(({url}) => url.username === '' && url.password === '', {
		path: ['url'],
		message: 'holds credentials: use password_file',
	});
export type RedfishSystem = z.output<typeof systemSchema>;

/** The config key `receivers.redfish`: management modules whose logs and parts are read. */
export const redfishReceiverSchema = z.strictObject({
	systems: z.array(systemSchema).min(1).max(1000),
	poll_interval: duration.refine(millis => millis >= 100 && millis <= 86_400_000, 'must be from 100ms to 1d').prefault('1m'),
	/** For one answer: slow modules take half a minute. */
	timeout: duration.refine(millis => millis >= 100 && millis <= 600_000, 'must be from 100ms to 10m').prefault('60s'),
	max_response_size: byteSize.refine(bytes => bytes <= 64 * 1024 ** 2, 'must be at most 64MiB').prefault('4MiB'),
	/** Of one look at one system. */
	max_requests: z.int().min(10).max(100_000).default(2000),
});
export type RedfishReceiverConfig = z.output<typeof redfishReceiverSchema>;
