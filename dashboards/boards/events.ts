import type {Board} from './board.ts';

/** For sites that keep the bridge's log records in Loki. The others import it not, and miss no panel elsewhere. */
export const events = (): Board => ({
	uid: 'callhome-events',
	title: 'Call home / Events',
	description: 'What the bridge tells as log records: hardware alerts, changes of problems and of connections. Needs Loki.',
	span: '24h',
	source: 'loki',
	rows: [
		{
			title: 'Events',
			panels: [
				logs('Changes of problems and answers of IBM', 'callhome\\\\.(problem|submission)\\\\..+', 12),
				logs('Changes of connections, and heartbeats', 'callhome\\\\.(connection\\\\..+|heartbeat)', 12),
				logs('Hardware alerts', 'callhome\\\\.hardware\\\\.alert', 24),
			],
		},
	],
});

/** The name of an event is among the structured metadata that Loki makes of a record's fields. */
const logs = (title: string, names: string, width: number) => ({
	kind: 'logs' as const,
	title,
	description: 'Newest first, with all attributes in the details of a line.',
	width,
	height: 10,
	queries: [{expr: `{service_name=~"$job", service_instance_id=~"$instance"} | event_name=~"${names}"`, legend: ''}],
});
