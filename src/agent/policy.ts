import {callHomeConnectSchema, hasCredentials} from '../../exporters/call-home-connect/config.ts';
import {transactionIdOf} from '../../exporters/call-home-connect/ids.ts';
import type {Config} from '../config.ts';
import type {Policy} from '../processors/hold.ts';
import {createMaintenance} from '../processors/maintenance.ts';

/** What the configuration allows and wants, as the decisions need it. */
export function policyOf(
	{consent, processors}: Pick<Config, 'consent' | 'processors'>,
	backend: Pick<Policy, 'hasCredentials' | 'mintTransactionId'>,
): Policy {
	const {approval, correlate_within, maintenance, relapse_within, storm} = processors;
	return {
		consentsToCases: consent.cases,
		hasCredentials: backend.hasCredentials,
		needsApproval: approval === 'manual',
		maintenanceOf: createMaintenance(maintenance),
		correlateMillis: correlate_within,
		sameTimeIsOne: storm.same_time === 'one',
		relapseWithinMillis: relapse_within,
		storm: {threshold: storm.threshold, windowMillis: storm.window, holdMillis: storm.hold},
		mintTransactionId: backend.mintTransactionId,
	};
}

/** The same while no bridge runs: nothing is opened, and ids are minted as the bridge would. */
export function policyWithoutBackend(config: Config): Policy {
	const {call_home_connect: ibm} = config.exporter;
	const agent = ibm?.agent ?? callHomeConnectSchema.shape.agent.parse(undefined);
	return policyOf(config, {
		hasCredentials: ibm ? hasCredentials(ibm) : true,
		mintTransactionId: (system, createdAt, discriminator) =>
			transactionIdOf({type: 'hardware_alert', system, createdAt, discriminator, ...(agent ? {agent} : {})}),
	});
}
