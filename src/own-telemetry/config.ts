import {z} from 'zod';
import type {Secret} from '../secret.ts';
import {duration, endpoint, isLoopback, secret} from '../settings.ts';

/** A duration that a timer can hold and that makes sense here. */
const between = (leastMillis: number, mostMillis: number, range: string) =>
	duration.refine(millis => millis >= leastMillis && millis <= mostMillis, `must be from ${range}`);

const otlpEndpoint = z
	.url({protocol: /^https?$/, error: 'must be a URL with http:// or https://'})
	.refine(
		text => !URL.canParse(text) || new URL(text).username === '',
		'must not carry credentials: write an authorization header under headers',
	);

/** A header must not be able to end its line. */
const headerValue = secret.refine(
	value => /^[\t\x20-\x7e\x80-\xff]*$/.test(value.reveal()),
	'has characters that no HTTP header may have',
);
const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'is not the name of an HTTP header');

/** The URL is a secret, as it may carry a password. `connections` goes the way of everything else that leaves. */
const proxy = secret.transform((value, refinement): Secret | 'from_environment' | 'connections' => {
	const word = value.reveal();
	if (word === 'from_environment' || word === 'connections') return word;
	if (/^https?:$/.test(URL.parse(value.reveal())?.protocol ?? '')) return value;
	refinement.addIssue({code: 'custom', message: 'must be a URL with http:// or https://, from_environment, or connections'});
	return z.NEVER;
});

const otlpSchema = z
	.strictObject({
		/** Its path is completed by /v1/traces and so on. Without it OTEL_EXPORTER_OTLP_ENDPOINT, or http://localhost:4318. */
		endpoint: otlpEndpoint.optional(),
		protocol: z.enum(['http/protobuf', 'http/json']).default('http/protobuf'),
		headers: z.record(headerName, headerValue).default({}),
		/** PEM files: whom to trust instead of the public authorities, and how to prove who the bridge is. */
		ca_file: z.string().min(1).optional(),
		cert_file: z.string().min(1).optional(),
		key_file: z.string().min(1).optional(),
		proxy: proxy.optional(),
		compression: z.enum(['gzip', 'none']).default('gzip'),
		timeout: between(100, 600_000, '100ms to 10m').prefault('10s'),
		export_interval: between(1000, 86_400_000, '1s to 1d').prefault('30s'),
		signals: z
			.strictObject({traces: z.boolean().default(true), metrics: z.boolean().default(true), logs: z.boolean().default(true)})
			.prefault({}),
	})
	.refine(({cert_file, key_file}) => (cert_file === undefined) === (key_file === undefined), {
		path: ['cert_file'],
		error: 'cert_file and key_file belong together',
	});

/** `telemetry` in the config: where the bridge's own metrics, traces and events go. */
export const telemetrySchema = z
	.strictObject({
		otlp: otlpSchema.optional(),
		metrics_endpoint: endpoint.prefault('127.0.0.1:9464'),
		metrics_insecure: z.boolean().default(false),
		service_name: z.string().min(1).default('callhome-bridge'),
		/** Further resource attributes. */
		resource: z.record(z.string().min(1), z.union([z.string(), z.number(), z.boolean()])).default({}),
	})
	.refine(({metrics_endpoint, metrics_insecure}) => metrics_insecure || isLoopback(metrics_endpoint), {
		path: ['metrics_endpoint'],
		error: 'listens beyond loopback, without authentication: take 127.0.0.1, or say metrics_insecure: true',
	});

export type TelemetryOptions = z.infer<typeof telemetrySchema>;
export type OtlpOptions = z.infer<typeof otlpSchema>;
