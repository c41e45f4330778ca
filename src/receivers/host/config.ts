import {z} from 'zod';
import {duration, secret} from '../../settings.ts';

const day = 86_400_000;
const interval = duration.refine(millis => millis >= 1000 && millis <= day, 'must be from 1s to 24h');
const timeout = duration.refine(millis => millis >= 100 && millis <= 3_600_000, 'must be from 100ms to 1h');
/** Of a log that is read for the first time, what is older is history and is not told. */
const history = duration.refine(millis => millis >= 0 && millis <= 3650 * day, 'must be at most 3650d').prefault('24h');
const path = z.string().min(1).max(4096);
const count = z.int().positive().max(1_000_000_000);

/** `true`, `{}` and nothing at all switch a source on, `false` switches it off. */
const switched = <Shape extends z.ZodRawShape>(shape: Shape) =>
	z
		.preprocess(
			value => (value === null || value === true ? {} : value === false ? {enabled: false} : value),
			z.strictObject({enabled: z.boolean().default(true), ...shape}),
		)
		.prefault({});

const remoteSchema = z.strictObject({
	/** Name or address of the management module. */
	host: z.string().regex(/^[0-9A-Za-z][0-9A-Za-z.:_-]{0,252}$/, 'is not a host name or an address'),
	port: z.int().min(1).max(65_535).default(623),
	user: z.string().max(64).default(''),
	/** Handed to ipmitool in its environment, never in its arguments. */
	password: secret.optional(),
	interface: z.enum(['lanplus', 'lan']).default('lanplus'),
	/** What ipmitool is to ask for; it asks the module when there is none. */
	cipher_suite: z.int().min(0).max(17).optional(),
	/** `user` suffices to read the log. */
	privilege: z.enum(['callback', 'user', 'operator', 'administrator']).default('user'),
	/** The machine that it manages, as `systems` knows it; the module's own address by default. */
	system: z.string().min(1).max(253).optional(),
});
export type IpmiRemote = z.output<typeof remoteSchema>;

/** Where the kernel shows the machine: elsewhere in a container. */
const rootsSchema = z.strictObject({
	sys: path.default('/sys'),
	proc: path.default('/proc'),
	dev: path.default('/dev'),
	machine_id: path.default('/etc/machine-id'),
});
export type Roots = z.output<typeof rootsSchema>;
export const defaultRoots: Roots = rootsSchema.parse({});

/** The config key `receivers.host`. */
export const hostReceiverSchema = z.preprocess(
	value => (value === null || value === true ? {} : value === false ? undefined : value),
	z
		.strictObject({
			roots: rootsSchema.prefault({}),
			/** Of one run of a tool. */
			timeout: timeout.prefault('2m'),
			edac: switched({
				interval: interval.prefault('1m'),
				/** So many corrected errors of one module within the window predict its failure. */
				corrected_threshold: count.default(10),
				window: duration.prefault('24h'),
			}),
			ras_database: switched({
				file: path.default('/var/lib/rasdaemon/ras-mc_event.db'),
				interval: interval.prefault('30s'),
				history,
			}),
			kernel_log: switched({
				interval: interval.prefault('5s'),
				journalctl: path.default('journalctl'),
			}),
			smart: switched({
				interval: interval.prefault('10m'),
				smartctl: path.default('smartctl'),
				/** Read in place of what `smartctl --scan` finds. */
				devices: z
					.array(z.strictObject({name: path, type: z.string().min(1).max(64).optional()}))
					.max(1000)
					.optional(),
			}),
			nvme: switched({
				interval: interval.prefault('10m'),
				nvme: path.default('nvme'),
			}),
			hwmon: switched({
				interval: interval.prefault('1m'),
				/** `chip/label` with `*`: sensors that are connected to nothing raise alarms. */
				ignore: z.array(z.string().min(1).max(200)).max(1000).default([]),
			}),
			ipmi: switched({
				interval: interval.prefault('1m'),
				ipmitool: path.default('ipmitool'),
				history,
				/** Reads this machine's own management module. */
				local: z.boolean().default(true),
				remote: z.array(remoteSchema).max(1000).default([]),
				/** A refused login is not tried again before, unless the configuration changes: modules lock accounts. */
				refused_pause: duration.refine(millis => millis >= 1000 && millis <= 30 * day, 'must be from 1s to 30d').prefault('24h'),
			}),
			servicelog: switched({
				file: path.default('/var/lib/servicelog/servicelog.db'),
				interval: interval.prefault('1m'),
				/** A file that the notification hook touches: see the log for the command that registers it. */
				notify_file: path.optional(),
			}),
		})
		.optional(),
);
export type HostReceiverConfig = NonNullable<z.output<typeof hostReceiverSchema>>;
