import type {Submission} from '../../src/submission.ts';
import type {CallHomeConnectOptions, ServiceParties} from './config.ts';
import {bodyOf} from './event-body.ts';
import {assetOf, envelopeIdOf, eventTypeOf, noVirtualId} from './ids.ts';

export type Envelope = {readonly [field: string]: unknown};

/** `YYYY-MM-DD HH:MM:SS`, in UTC. */
const wireTime = (millis: number) => new Date(millis).toISOString().slice(0, 19).replace('T', ' ');

const times = (millis: number) => ({event_time: wireTime(millis), event_time_ms: Math.trunc(millis)});

/**
The message to IBM for a submission. Nothing in it depends on when or how often it is sent: the same submission gives the
same bytes. The keys are in it, in clear.
*/
export function envelopeOf(submission: Submission, options: CallHomeConnectOptions, parties: ServiceParties): Envelope {
	const {system, createdAt} = submission.content;
	return {
		agent: options.agent,
		api_key: options.api_key?.reveal(),
		private_key: options.private_key?.reveal(),
		target_space: options.target_space,
		...identityOf(submission, options),
		country_code: system.country ?? parties.location.country,
		event_id: envelopeIdOf(submission.transactionId, submission.type),
		...times(createdAt),
		software_level: options.software_level,
		type: 'eccnext_apisv1s',
		version: '1.0.0.1',
		events: [
			{
				header: {event_type: eventTypeOf[submission.type], event_id: submission.transactionId, ...times(createdAt)},
				body: bodyOf(submission, options, parties),
			},
		],
	};
}

/** IBM keys a machine by these fields. */
function identityOf(submission: Submission, options: CallHomeConnectOptions) {
	const {asset, assetId} = assetOf(submission.content.system);
	return {
		asset,
		asset_id: assetId,
		asset_type: options.asset_type,
		asset_vendor: 'IBM',
		asset_virtual_id: noVirtualId,
		analytics_event_source_type: 'asset_event',
		analytics_type: asset,
		analytics_instance: assetId,
		analytics_virtual_id: noVirtualId,
		analytics_group: options.analytics_group,
		analytics_category: options.asset_type,
	};
}
