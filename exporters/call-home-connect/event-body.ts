import type {Submission, SubmissionType} from '../../src/submission.ts';
import type {CallHomeConnectOptions, ServiceParties} from './config.ts';
import {eventTypeOf} from './ids.ts';
import {inventoryOf} from './inventory-body.ts';
import {codeOf, faultOf, serviceBody, severityWord} from './service-body.ts';
import {cut, oneLine, timeText} from './text.ts';

/** A longer list of transactions is asked for in several messages: this many of it go into one. */
export const maxAskedTransactions = 500;

type Body = {readonly [field: string]: unknown};
type WriteBody = (submission: Submission, options: CallHomeConnectOptions, parties: ServiceParties) => Body;

const seconds = (millis: number) => Math.trunc(millis / 1000);

/** `timestamp` counts seconds, `transid` milliseconds. */
const contextOf = ({content: {createdAt}}: Submission) => ({
	origin: 2,
	timestamp: seconds(createdAt),
	transid: Math.trunc(createdAt),
});

const payloadOf = ({content}: Submission, options: CallHomeConnectOptions, parties: ServiceParties, said: Body): Body => ({
	request_time: Math.trunc(content.createdAt),
	content: said,
	ibm_customer_number: options.customer_number,
	customer_country_code: content.system.country ?? parties.location.country,
});

/** The heartbeat, and the question for answers. */
const lastContactBody: WriteBody = (submission, options, parties) => ({
	description: 'Last contact',
	component: 'system',
	context: {...contextOf(submission), messagetype: 1},
	enable_response_detail: true,
	enable_response_detail_filter: (submission.content.transactionIds ?? []).slice(0, maxAskedTransactions),
	payload: payloadOf(submission, options, parties, {last_contact: String(seconds(submission.content.createdAt))}),
});

const openCaseBody: WriteBody = (submission, options, parties) => ({
	component: 'callhome_bridge_service',
	context: contextOf(submission),
	...serviceBody(submission, options, parties),
});

const stateWords = {critical: 'Critical', error: 'Error', warning: 'Warning', information: 'Ok'} as const;

/** What is new about a fault that IBM knows: it grew worse, or it is over. */
const statusBody: WriteBody = (submission, options, parties) => {
	const fault = faultOf(submission);
	const alert = {
		title: codeOf(fault, false),
		error_code: oneLine(fault.errorCode, 140),
		severity: severityWord(fault.severity),
		count: fault.count,
		first_seen: timeText(fault.firstSeen),
		last_seen: timeText(fault.lastSeen),
		component: oneLine(fault.component.id, 255),
		note: cut(fault.note, 5000),
	};
	return {
		component: 'callhome_bridge_alerts',
		context: contextOf(submission),
		description: oneLine(`${fault.recovered ? 'Recovered' : 'Changed'}: ${fault.title}`, 255),
		event_transaction_id: submission.aboutTransactionId ?? submission.transactionId,
		state: fault.recovered ? 'Ok' : stateWords[severityWord(fault.severity)],
		complete: true,
		alert: true,
		payload: payloadOf(submission, options, parties, {
			new_alerts: fault.recovered ? [] : [alert],
			resolved_alerts: fault.recovered ? [alert] : [],
		}),
	};
};

const confirmationBody: WriteBody = submission => ({
	description: 'The answer has arrived',
	component: 'system',
	event_transaction_id: submission.aboutTransactionId ?? submission.transactionId,
	event_type: eventTypeOf.hardware_alert, // The type of the event whose answer is confirmed.
});

const seenAt = (millis: number | undefined) => (millis === undefined ? undefined : timeText(millis));

/** How the bridge's own ways out are, over one that works. In the form of a product's health report. */
const connectionReportBody: WriteBody = (submission, options, parties) => {
	const {count, lost} = submission.content.connections ?? {count: 0, lost: []};
	const summary = `${lost.length} of ${count} service connections lead nowhere`;
	const connections = lost.map(({position, kind, since, lastSuccessAt, errorType}) => ({
		position,
		kind: oneLine(kind, 64),
		status: 'disconnected',
		since: timeText(since),
		last_success: seenAt(lastSuccessAt),
		error_code: oneLine(errorType ?? 'unknown', 64),
	}));
	return {
		component: 'callhome_bridge_health',
		context: contextOf(submission),
		description: summary,
		event_transaction_id: submission.transactionId,
		state: 'degraded',
		complete: true,
		payload: payloadOf(submission, options, parties, {
			status: {support: {health_status: 'degraded', health_summary: summary}, connections},
		}),
	};
};

/** Its envelope is IBM's; what stands in it is free there, and in our words. */
const inventoryBody: WriteBody = (submission, options, parties) => ({
	component: 'system',
	context: contextOf(submission),
	description: 'Inventory',
	payload: payloadOf(submission, options, parties, {inventory: inventoryOf(submission)}),
});

const writers: Record<SubmissionType, WriteBody> = {
	hardware_alert: openCaseBody,
	test: openCaseBody,
	status: statusBody,
	heartbeat: lastContactBody,
	case_query: lastContactBody,
	confirmation: confirmationBody,
	connection_report: connectionReportBody,
	inventory: inventoryBody,
};

export const bodyOf: WriteBody = (submission, options, parties) => writers[submission.type](submission, options, parties);
