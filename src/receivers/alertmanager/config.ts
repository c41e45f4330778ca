import {z} from 'zod';
import {byteSize, duration, endpoint, isLoopback, secret} from '../../settings.ts';

const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'is not the name of a label: letters, digits and "_"');
const labelPattern = z.string().min(1).max(1000);

const tls = z.strictObject({
	cert_file: z.string().min(1),
	key_file: z.string().min(1),
	/** With it only clients that hold a certificate from this authority are served. */
	client_ca_file: z.string().min(1).optional(),
});

const labels = (...names: string[]) => z.array(labelName).min(1).max(20).default(names);

/** Which labels say what: the first one that an alert has counts. */
const labelsSchema = z.strictObject({
	host: labels('host_name', 'host', 'hostname', 'nodename', 'exported_instance', 'instance'),
	machine_type: labels('callhome_system_type'),
	model: labels('callhome_system_model'),
	serial_number: labels('callhome_system_serial_number'),
	id: labels('hw_id', 'device', 'disk', 'sensor'),
	type: labels('hw_type'),
	name: labels('hw_name'),
	state: labels('hw_state'),
	severity: labels('severity'),
});

/** The config key `receivers.alertmanager`. */
export const alertmanagerSchema = z
	.strictObject({
		endpoint: endpoint.prefault('127.0.0.1:5027'),
		bearer_token: secret.optional(),
		tls: tls.optional(),
		/** Serves whoever asks, although it listens beyond loopback. */
		insecure: z.boolean().default(false),
		/** An alert is taken when it has all labels of one of these; * is a wildcard. */
		match: z
			.array(z.record(labelName, labelPattern).refine(labels => Object.keys(labels).length > 0, 'names no label'))
			.min(1)
			.max(100)
			.default([{hw_id: '*'}, {hw_type: '*'}, {callhome: 'true'}]),
		labels: labelsSchema.prefault({}),
		max_request_size: byteSize.refine(bytes => bytes <= 256 * 1024 ** 2, 'must be at most 256MiB').prefault('8MiB'),
		request_timeout: duration.refine(millis => millis >= 100 && millis <= 600_000, 'must be from 100ms to 10m').prefault('20s'),
	})
	.superRefine((config, context) => {
		if (config.bearer_token || config.tls?.client_ca_file || config.insecure || isLoopback(config.endpoint)) return;
		context.addIssue({
			code: 'custom',
			path: ['endpoint'],
			message: `${config.endpoint.host} is beyond loopback: set bearer_token or tls.client_ca_file, or say insecure: true`,
		});
	});
export type AlertmanagerConfig = z.output<typeof alertmanagerSchema>;
