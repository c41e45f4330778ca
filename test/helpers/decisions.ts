import type {ExecutionContext} from 'ava';
import type {AttributeValue, HardwareEvent} from '../../src/event.ts';
import type {Outcome} from '../../src/outcome.ts';
import type {Problem, System} from '../../src/problem.ts';
import {createClassify} from '../../src/processors/classify.ts';
import type {KnownSystem, ProcessorsConfig} from '../../src/processors/config.ts';
import {createExclusion} from '../../src/processors/exclusion.ts';
import type {Policy} from '../../src/processors/hold.ts';
import {createIdentify} from '../../src/processors/identify.ts';
import {createIntake} from '../../src/processors/intake.ts';
import {noMaintenance} from '../../src/processors/maintenance.ts';
import {reconsider, releaseDue} from '../../src/processors/release.ts';
import {retrySchema} from '../../src/sending/retry.ts';
import {createSettle} from '../../src/sending/settling.ts';
import {openStore, type Store} from '../../src/store/store.ts';
import type {Submission} from '../../src/submission.ts';
import {temporaryDirectory} from './listen.ts';

/** Noon of a day in 2026, as the bridge's clock has it. */
export const noon = Date.UTC(2026, 10, 23, 12);
export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

export type Given = {
	readonly uid?: string;
	readonly at?: number;
	/** Of the machine; `undefined` leaves it unknown. */
	readonly serial?: string | undefined;
	readonly host?: string;
	readonly severity?: number;
	readonly message?: string;
	readonly resource?: Readonly<Record<string, AttributeValue>>;
	readonly attributes?: Readonly<Record<string, AttributeValue>>;
	readonly measurement?: HardwareEvent['measurement'];
	readonly name?: string;
};

let uids = 0;

/** A hardware event: by default the failure of drive-3 in a known machine. */
export function eventOf(given: Given = {}): HardwareEvent {
	const {uid = `event-${uids++}`, at = noon, host = 'db01', severity = 17, message = 'drive-3 has failed'} = given;
	const serial = 'serial' in given ? given.serial : 'J1A2B3C';
	const label = {'callhome.system.type': '8871', 'callhome.system.model': 'AC1', 'callhome.system.serial_number': serial ?? ''};
	return {
		id: uid,
		name: given.name ?? 'callhome.hardware.alert',
		occurredAt: at,
		receivedAt: at,
		severity,
		message,
		resource: {'host.name': host, ...(serial === undefined ? {} : label), ...given.resource},
		attributes: given.attributes ?? {'hw.id': 'drive-3', 'hw.type': 'physical_disk', 'hw.state': 'failed'},
		source: 'otlp/logs',
		...(given.measurement ? {measurement: given.measurement} : {}),
	};
}

export const failed = (id: string, given: Given = {}): HardwareEvent =>
	eventOf({
		message: `${id} has failed`,
		...given,
		attributes: {'hw.id': id, 'hw.type': 'physical_disk', 'hw.state': 'failed', ...given.attributes},
	});

export const well = (id: string, given: Given = {}): HardwareEvent =>
	failed(id, {message: `${id} is well`, severity: 9, ...given, attributes: {'hw.state': 'ok', ...given.attributes}});

/** A point of `hw.status`: whether the component is in the state or not. */
export function levelOf(id: string, state: string, value: number, given: Given = {}): HardwareEvent {
	const attributes = {'hw.id': id, 'hw.type': 'physical_disk', 'hw.state': state, ...given.attributes};
	const series = JSON.stringify([given.serial ?? '', given.host ?? '', attributes]);
	return eventOf({
		message: `hw.status ${state} = ${value}`,
		name: 'hw.status',
		...given,
		attributes,
		measurement: {metric: 'hw.status', series, value, kind: 'state'},
	});
}

/** A point of `hw.errors`. */
export function countOf(id: string, errorType: string, value: number, given: Given = {}): HardwareEvent {
	const attributes = {'hw.id': id, 'hw.type': 'memory', 'error.type': errorType};
	return eventOf({
		message: `hw.errors ${errorType} = ${value}`,
		name: 'hw.errors',
		...given,
		attributes,
		measurement: {metric: 'hw.errors', series: JSON.stringify(attributes), value, kind: 'count'},
	});
}

export const policyOf = (changes: Partial<Policy> = {}): Policy => ({
	consentsToCases: true,
	hasCredentials: true,
	needsApproval: false,
	maintenanceOf: noMaintenance,
	correlateMillis: 5 * minute,
	sameTimeIsOne: false,
	relapseWithinMillis: 120 * hour,
	storm: {threshold: 10, windowMillis: hour, holdMillis: 30 * minute},
	mintTransactionId: (system: System, at: number, problemId: string) => `service_${system.serialNumber}_${at}_${problemId}`,
	...changes,
});

export const acknowledged = (transactionId: string, ...answers: {caseNumber?: string; error?: string}[]): Outcome => ({
	status: 'acknowledged',
	reference: transactionId,
	answers: answers.map(answer => ({transactionId, ...answer})),
});

export type Setting = {
	readonly systems?: readonly KnownSystem[];
	readonly policy?: Partial<Policy>;
	readonly serviceability?: ProcessorsConfig['serviceability'];
	readonly exclude?: ProcessorsConfig['exclude'];
	/** Of a store that another house used before. */
	readonly directory?: string;
};

/** Intake, settlement and releases over a real store, on a clock that the test moves. */
export async function openHouse(t: ExecutionContext, setting: Setting = {}) {
	const directory = setting.directory ?? (await temporaryDirectory(t));
	const store = await openStore({directory, onFailure: () => {}, onSetAside: () => {}});
	let isOpen = true;
	const close = async () => {
		if (isOpen) await store.close();
		isOpen = false;
	};
	t.teardown(close);
	return {...(await houseOn(store, setting)), directory, close};
}

export async function houseOn(store: Store, {systems = [], policy: changes, serviceability = [], exclude = []}: Setting) {
	const clock = {now: noon};
	const now = () => clock.now;
	const policy = policyOf(changes);
	const parts = {identify: createIdentify(systems), classify: createClassify(serviceability, createExclusion(exclude)), policy};
	const levels = await store.read.readLevels();
	const intake = createIntake({...parts, write: store.write, levels, beginTrace: () => undefined, onDecided: () => {}, now});
	const settle = createSettle({
		write: store.write,
		policy: {retry: retrySchema.parse({}), caseQuery: {intervalMillis: 30 * second, count: 10}},
		onSettled: () => {},
		now,
		random: () => 0.5,
	});
	return {
		store,
		clock,
		settle,
		take: (...events: readonly HardwareEvent[]) => intake(events),
		releaseDue: () => store.write(records => releaseDue(records, policy, clock.now)),
		reconsider: () => store.write(records => reconsider(records, parts, clock.now)),
		problems: () => store.read.listProblems({}),
		/** All that is in the queue. */
		queue: () => store.read.dueSubmissions(Number.MAX_SAFE_INTEGER, [], 10_000),
		activities: (problemId?: string) => store.read.listActivities({problemId}),
		/** Answers the queued submission of a type, the only one of the queue that has it. */
		async answer(type: Submission['type'], outcome?: Outcome) {
			const queued = await store.read.dueSubmissions(Number.MAX_SAFE_INTEGER, [], 10_000);
			const submission = queued.find(one => one.type === type);
			if (!submission) throw new Error(`no ${type} is queued: ${queued.map(one => one.type)}`);
			await settle(submission, outcome ?? acknowledged(submission.transactionId));
			return submission;
		},
	};
}
export type House = Awaited<ReturnType<typeof openHouse>>;

/** The only problem there is. */
export async function onlyProblem({problems}: Pick<House, 'problems'>): Promise<Problem> {
	const [problem, ...others] = await problems();
	if (!problem || others.length > 0) throw new Error(`${others.length + (problem ? 1 : 0)} problems instead of one`);
	return problem;
}
