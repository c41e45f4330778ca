import {z} from 'zod';
import {byteSize, duration, endpoint, isLoopback, machineKeys, publicKeyPin, secret} from '../../settings.ts';

/** How events come: `auto` takes server-sent events where the module has them, else a subscription, else the logs alone. */
export const eventModes = ['auto', 'sse', 'push', 'poll'] as const;

const systemSchema = z
	.strictObject({
		/** The origin of the management module, such as https://bmc.example. */
		url: z.url({protocol: /^https?$/}).transform(text => new URL(text)),
		username: z.string().min(1).max(255),
		password: secret,
		/** Whom to trust instead of the public authorities. */
		ca_file: z.string().min(1).optional(),
		/** The module's own key; then neither its issuer nor its name counts. */
		pin: publicKeyPin.optional(),
		/** `auto` opens a session where the module has a place for one, and else sends the password with each request. */
		login: z.enum(['auto', 'session', 'basic']).default('auto'),
		/** Sends the password over plain HTTP beyond loopback. */
		insecure: z.boolean().default(false),
		/** The monitored system's host.name; without it the module's own. */
		name: z.string().min(1).max(255).optional(),
		...machineKeys,
		/** The logs and the parts are read in each of them, so that nothing depends on an event that got lost. */
		events: z.enum(eventModes).default('auto'),
	})
	.refine(({url, insecure}) => url.protocol === 'https:' || insecure || isLoopback({host: url.hostname, port: 0}), {
		path: ['url'],
		message: 'is plain HTTP beyond loopback: write https://, or say insecure: true',
	})
	.refine(({url, pin}) => url.protocol === 'https:' || pin === undefined, {
		path: ['pin'],
		message: 'needs https: plain HTTP shows no key',
	})
	.refine(({url}) => url.username === '' && url.password === '', {
		path: ['url'],
		message: 'holds credentials: use password_file',
	});
export type RedfishSystem = z.output<typeof systemSchema>;

/** Where the modules send their events. */
const listenSchema = z.strictObject({
	endpoint: endpoint.prefault('127.0.0.1:5991'),
	/** How the modules reach it; each gets a path of its own below it, which nobody else knows. */
	destination_url: z
		.url({protocol: /^https?$/})
		.transform(text => new URL(text))
		.optional(),
	tls: z.strictObject({cert_file: z.string().min(1), key_file: z.string().min(1)}).optional(),
	/** Takes events over plain HTTP from beyond loopback: the paths can be read on the way. */
	insecure: z.boolean().default(false),
});
export type ListenConfig = z.output<typeof listenSchema>;

/** The config key `receivers.redfish`: management modules whose events, logs and parts are read. */
export const redfishReceiverSchema = z
	.strictObject({
		systems: z.array(systemSchema).min(1).max(1000),
		listen: listenSchema.optional(),
		poll_interval: duration.refine(millis => millis >= 100 && millis <= 86_400_000, 'must be from 100ms to 1d').prefault('1m'),
		/** A part that is well again has to stay so for this long before that is told: one that flickers is one fault. */
		recovery_delay: duration.refine(millis => millis <= 86_400_000, 'must be at most 1d').prefault('5m'),
		/** For one answer: slow modules take half a minute. */
		timeout: duration.refine(millis => millis >= 100 && millis <= 600_000, 'must be from 100ms to 10m').prefault('60s'),
		/** A refused login is not tried again before, unless the configuration changes: modules lock accounts. */
		refused_pause: duration
			.refine(millis => millis >= 100 && millis <= 30 * 86_400_000, 'must be from 100ms to 30d')
			.prefault('24h'),
		/** A stream of events without a word for so long is opened anew. */
		stream_idle: duration.refine(millis => millis >= 100 && millis <= 86_400_000, 'must be from 100ms to 1d').prefault('30m'),
		max_response_size: byteSize.refine(bytes => bytes <= 64 * 1024 ** 2, 'must be at most 64MiB').prefault('4MiB'),
		/** Of one look at one system. */
		max_requests: z.int().min(10).max(100_000).default(2000),
	})
	.superRefine(({systems, listen}, context) => {
		const blame = (path: (string | number)[], message: string) => context.addIssue({code: 'custom', path, message});
		if (listen && !listen.tls && !listen.insecure && !isLoopback(listen.endpoint))
			blame(['listen', 'endpoint'], `${listen.endpoint.host} is beyond loopback: set tls, or say insecure: true`);
		const isReachable = listen?.destination_url !== undefined || (listen !== undefined && isLoopback(listen.endpoint));
		if (listen && !isReachable) blame(['listen', 'destination_url'], 'is missing: the modules have to be told where to send');
		for (const [index, {url, events}] of systems.entries()) {
			if (events === 'push' && !listen) blame(['systems', index, 'events'], 'is push: set receivers.redfish.listen');
			if (systems.findIndex(other => other.url.host === url.host) < index)
				blame(['systems', index, 'url'], `${url.host} is listed twice`);
		}
	});
export type RedfishReceiverConfig = z.output<typeof redfishReceiverSchema>;
