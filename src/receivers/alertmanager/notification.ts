import {hash} from 'node:crypto';
import {z} from 'zod';
import {type HardwareEvent, Severity} from '../../event.ts';
import {hardwareTypes} from '../../hardware.ts';
import type {AlertmanagerConfig} from './config.ts';

const mostAlerts = 10_000;
const texts = z.record(z.string().max(1000), z.string().max(32_768));
const time = z.string().max(64).optional();

const alertSchema = z.object({
	status: z.enum(['firing', 'resolved']),
	labels: texts,
	annotations: texts.default({}),
	startsAt: time,
	endsAt: time,
	fingerprint: z.string().max(200).optional(),
});
export type Alert = z.output<typeof alertSchema>;

/** What Alertmanager posts: version 4 of its webhook, as it has been since 0.6 (documentation of `webhook_config`). */
const notificationSchema = z.object({
	version: z.literal('4'),
	truncatedAlerts: z.number().int().nonnegative().default(0),
	alerts: z.array(alertSchema).max(mostAlerts),
});
export type Notification = z.output<typeof notificationSchema>;

/** Or what is wrong with it, in words that go back to the sender. */
export function parseNotification(body: string): Notification | string {
	let value: unknown;
	try {
		value = JSON.parse(body);
	} catch {
		return 'The body is not JSON.';
	}
	const {success, data, error} = notificationSchema.safeParse(value);
	if (success) return data;
	const [issue] = error.issues;
	const path = issue?.path.slice(0, 3).join('.') ?? '';
	return `The body is not a notification of Alertmanager's webhook, version 4: ${path === '' ? 'the whole' : path} is not as it should be.`;
}

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const patternOf = (text: string) => new RegExp(`^${text.split('*').map(literal).join('[^]*')}$`);

/** Whether an alert is about hardware, by its labels. */
export function createSelect(match: AlertmanagerConfig['match']): (alert: Alert) => boolean {
	const rules = match.map(labels => Object.entries(labels).map(([name, text]) => ({name, pattern: patternOf(text)})));
	const has = ({labels}: Alert, name: string, pattern: RegExp) => {
		const value = Object.hasOwn(labels, name) ? labels[name] : undefined;
		return value !== undefined && value !== '' && pattern.test(value);
	};
	return alert => rules.some(rule => rule.every(({name, pattern}) => has(alert, name, pattern)));
}

/** What people write into `severity`, and what it says of the part. Anything else is a failure: nobody would have alerted else. */
const severities: Readonly<Record<string, {readonly severity: number; readonly state: string}>> = {
	info: {severity: Severity.info, state: 'degraded'},
	none: {severity: Severity.info, state: 'degraded'},
	warning: {severity: Severity.warn, state: 'degraded'},
	warn: {severity: Severity.warn, state: 'degraded'},
};
const failure = {severity: Severity.error, state: 'failed'};
const states = ['ok', 'degraded', 'failed', 'predicted_failure', 'needs_cleaning'];

/** A host without the port that Prometheus scrapes. */
const withoutPort = (host: string): string => host.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^([^:]+):\d+$/, '$1');

const millisOf = (text: string | undefined): number | undefined => {
	const millis = Date.parse(text ?? '');
	// The year 1 is Go's way to say "not set".
	return Number.isNaN(millis) || millis <= 0 ? undefined : millis;
};

/** The event that an alert is. The same again when it is notified again; a resolved one says that the part is well. */
export function toHardwareEvent(alert: Alert, names: AlertmanagerConfig['labels'], receivedAt: number): HardwareEvent {
	const {status, labels, annotations, startsAt, endsAt} = alert;
	const text = (...keys: readonly string[]) =>
		keys.map(key => (Object.hasOwn(labels, key) ? labels[key] : undefined)).find(value => value !== undefined && value !== '');
	const isResolved = status === 'resolved';
	const usual = severities[text(...names.severity)?.toLowerCase() ?? ''] ?? failure;
	const said = text(...names.state)?.toLowerCase() ?? '';
	const state = isResolved ? 'ok' : states.includes(said) ? said : usual.state;
	const alertname = text('alertname') ?? 'alert';
	const host = text(...names.host);
	return {
		id: idOf(alert),
		name: 'callhome.hardware.alert',
		occurredAt: millisOf(isResolved ? endsAt : startsAt) ?? receivedAt,
		receivedAt,
		severity: isResolved ? Severity.info : usual.severity,
		message: annotations.summary || annotations.description || annotations.message || alertname,
		resource: defined({
			'host.name': host && withoutPort(host),
			'callhome.system.type': text(...names.machine_type),
			'callhome.system.model': text(...names.model),
			'callhome.system.serial_number': text(...names.serial_number),
		}),
		attributes: {
			...defined({'hw.id': text(...names.id), 'hw.type': typeOf(text(...names.type))}),
			'hw.name': text(...names.name) ?? alertname,
			'hw.state': state,
			'error.type': alertname,
			'callhome.alert.labels': labels,
			'callhome.alert.annotations': annotations,
		},
		source: 'alertmanager',
		isStanding: true,
	};
}

const typeOf = (text: string | undefined) => hardwareTypes.find(type => type === text?.toLowerCase());

const defined = (values: Readonly<Record<string, string | undefined>>): Record<string, string> =>
	Object.fromEntries(Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));

/** Alertmanager names an alert by a hash of its labels; one that begins anew begins at another time. */
function idOf({status, labels, fingerprint, startsAt}: Alert): string {
	const sorted = Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1));
	const parts = ['alertmanager', fingerprint ?? sorted, startsAt ?? '', status];
	return hash('sha256', JSON.stringify(parts)).slice(0, 32);
}
