import {type CallHomeConnectOptions, callHomeConnectSchema} from '../../exporters/call-home-connect/config.ts';
import {transactionIdOf} from '../../exporters/call-home-connect/ids.ts';
import type {Inventory} from '../../src/inventory.ts';
import type {System} from '../../src/problem.ts';
import type {Submission, SubmissionType} from '../../src/submission.ts';

export const system: System = {name: 'db01.example', machineType: '8871', model: 'AC1', serialNumber: 'J1A2B3C'};

export const createdAt = Date.UTC(2026, 10, 23, 17, 4, 5, 678);

export const fault: NonNullable<Submission['content']['problem']> = {
	title: 'Power supply 2 has failed',
	note: 'The power supply gives no output.',
	severity: 17,
	errorCode: '806F0108',
	count: 3,
	firstSeen: createdAt - 60_000,
	lastSeen: createdAt,
	component: {id: 'psu2', type: 'power_supply', name: 'Power Supply 2'},
	recovered: false,
	part: {serialNumber: 'K118', vendor: 'Example'},
};

export const inventory: Inventory = {
	collectedAt: createdAt,
	source: 'redfish',
	machine: {vendor: 'Lenovo', product: 'System x3650 M5', serialNumber: 'J1A2B3C', kind: 'physical'},
	parts: [
		{
			type: 'memory',
			id: 'DIMM 8',
			vendor: 'Samsung',
			partNumber: 'M393A2G40DB0-CPB',
			fruNumber: '46W0798',
			serialNumber: '31EA1D',
			location: 'DIMM 8',
			size: 17_179_869_184,
			properties: {speed_mhz: 2133},
		},
		{type: 'firmware', id: 'bios', name: 'BIOS', version: 'TCE140B'},
	],
	operatingSystem: {name: 'Debian GNU/Linux', version: '12', kernel: '6.1.0', architecture: 'x64'},
	faults: ['disks: not allowed'],
};

/** A submission as the queue hands it out. */
export function submissionOf(type: SubmissionType, changes: Partial<Submission> = {}): Submission {
	return {
		id: 's1',
		type,
		problemId: 'p1',
		transactionId: transactionIdOf({type, system, createdAt, discriminator: 'p1'}),
		aboutTransactionId: undefined,
		content: {system, createdAt, ...(type === 'inventory' ? {inventory} : {problem: fault})},
		attempts: 0,
		rounds: 0,
		uncertain: false,
		notBefore: createdAt,
		queuedAt: createdAt,
		traceparent: undefined,
		...changes,
	};
}

export const keys = {api_key: 'api-key-58b1f0', private_key: 'private-key-77d2c9'};

export const optionsOf = (changes: Record<string, unknown> = {}): CallHomeConnectOptions =>
	callHomeConnectSchema.parse({customer_number: '1234567', ...keys, ...changes});

export const parties = {
	contact: {organization: 'Example AG', name: 'Operations', email: 'ops@example.com', phone: '+41 44 555 01 00'},
	location: {country: 'CH', city: 'Zurich'},
};
