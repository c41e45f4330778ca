import type {HardwareEvent} from '../../src/event.ts';
import type {Problem} from '../../src/problem.ts';
import {system} from './submissions.ts';

export const seenAt = Date.UTC(2026, 10, 23, 17, 0, 0);

/** A hardware event as a receiver hands it on. */
export const eventOf = (changes: Partial<HardwareEvent> = {}): HardwareEvent => ({
	id: 'e1',
	name: 'callhome.hardware.alert',
	occurredAt: seenAt,
	receivedAt: seenAt + 20,
	severity: 17,
	message: 'Power supply 2 has failed',
	resource: {'host.name': 'db01.example', 'callhome.system.type': '8871', 'callhome.system.model': 'AC1'},
	attributes: {'hw.id': 'psu2', 'hw.type': 'power_supply', 'hw.name': 'Power Supply 2', 'hw.state': 'failed'},
	source: 'otlp/logs',
	...changes,
});

/** A problem that is queued for one event. */
export const problemOf = (changes: Partial<Problem> = {}): Problem => ({
	id: 'p1',
	key: `key of ${changes.id ?? 'p1'}`,
	state: 'queued',
	reason: '',
	title: 'Power supply 2 has failed',
	severity: 17,
	test: false,
	count: 1,
	firstSeen: seenAt,
	lastSeen: seenAt,
	systemKey: '8871-AC1/J1A2B3C',
	system,
	component: {id: 'psu2', type: 'power_supply', name: 'Power Supply 2'},
	transactionId: `transaction of ${changes.id ?? 'p1'}`,
	caseNumber: undefined,
	acceptedAt: undefined,
	recoveredAt: undefined,
	closedAt: undefined,
	releaseAt: undefined,
	traceparent: undefined,
	...changes,
});
