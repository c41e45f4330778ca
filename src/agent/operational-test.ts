import type {Config} from '../config.ts';
import type {Destination} from '../destination.ts';
import {type Address, authority} from '../sending/address.ts';
import type {Health} from '../sending/connection-health.ts';
import type {WayOut} from '../sending/connections.ts';
import {type Diagnosis, goesAsSent, type PathResult} from '../sending/doctor/diagnosis.ts';
import {createOperationalTest} from '../sending/doctor/operational-test.ts';
import {noteLights} from '../sending/lights.ts';
import {lastSuccess} from '../sending/settling.ts';
import {resultOfWalk} from '../sending/walked.ts';
import type {Backend} from './backend.ts';
import type {Connectivity} from './connectivity.ts';
import {questionsTo, sandboxAt} from './test-targets.ts';
import {every, type Upkeep} from './upkeep.ts';
import type {Ways} from './ways.ts';

export type Tested = {
	readonly backend: Pick<Backend, 'sandbox'>;
	readonly ways: Ways;
	readonly connectivity: Connectivity;
	/** Those that carry submissions. */
	readonly connections: readonly WayOut[];
	/** Where submissions go. */
	readonly servers: () => readonly Address[];
};

/** Paths in doubt, and whom a walk of them tells. */
export type Doubted = Pick<Tested, 'connections' | 'servers'> & {
	readonly connectivity: {readonly health: Pick<Health, 'doubtful' | 'observe'>};
};

/** How often paths in doubt are looked for. Each has a pause of its own, which grows while it fails. */
const doubtMillis = 30_000;

/**
Walks every path on a schedule, so that a way that nobody used is known to be broken before it is needed. What is seen counts as
what an attempt shows. To be called only where something may leave (G5), although a walk carries nothing of the operator's.
*/
export async function startOperationalTest(
	{service_information: {operational_test: settings}, exporter, consent}: Config,
	tested: Tested,
	upkeep: Upkeep,
): Promise<void> {
	const {backend, ways} = tested;
	const endpoint = backend.sandbox ?? exporter.call_home_connect?.endpoint;
	if (!settings.enabled || !endpoint) return;
	const {store, log, stack} = upkeep;
	const {sandbox} = backend;
	// A way that nothing may take need not be there.
	const isUsed = ({purpose}: Destination) => purpose !== 'extended_error_data' || consent.diagnostics;
	const test = createOperationalTest({
		intervalMillis: settings.interval,
		// Loaded by the first run: it is large, and idle the bridge is to be small.
		async examine(signal) {
			const {examine} = await import('../sending/doctor/examine.ts');
			const destinations = sandbox ? sandboxAt(sandbox) : ways.destinations().filter(isUsed);
			return examine({connections: ways.list, destinations, probes: questionsTo(endpoint), signal});
		},
		async report(diagnosis) {
			for (const path of diagnosis.paths.filter(goesAsSent)) observe(path, tested);
			await noteReached(diagnosis, upkeep);
		},
		async record(activities) {
			for (const {level, word, text} of activities) if (/^(no_way|way_found)$/.test(word)) log(level, text);
			await store.write(records => records.addActivities(activities));
		},
		log,
	});
	walkDoubtful(endpoint, Math.min(doubtMillis, settings.interval), tested, upkeep);
	stack.defer(() => test.shutdown());
	await test.start();
}

function observe({connection, stages, outcome, ...server}: PathResult, {connectivity, connections, servers}: Tested): void {
	const destination = authority(server);
	const carries = connections.some(({name}) => name === connection) && servers().some(each => authority(each) === destination);
	const result = outcome === 'skipped' ? undefined : resultOfWalk(stages);
	const last = stages.at(-1);
	if (carries && result && last) connectivity.health.observe(connection, destination, result, last.startedAt + last.duration);
}

/** The first light of each server that answered. */
async function noteReached({servers, startedAt, duration}: Diagnosis, {store}: Upkeep): Promise<void> {
	const at = startedAt + duration;
	const reached = servers.filter(({working}) => working.length > 0);
	if (reached.length === 0) return;
	await store.write(async records => {
		for (const server of reached) await noteLights(records, authority(server), ['reached'], at);
		if (reached.some(({purposes}) => purposes.includes('problem_reporting')))
			await records.writeSetting(lastSuccess.reached, String(at));
	});
}

/** Settles a doubt before the next submission has to: a proxy that is back has its old place again, and an outage is soon known as one. */
export function walkDoubtful(
	endpoint: URL,
	pauseMillis: number,
	{connectivity, connections, servers}: Doubted,
	upkeep: Pick<Upkeep, 'log' | 'stack'>,
): void {
	const {health} = connectivity;
	const stopping = new AbortController();
	const questions = questionsTo(endpoint);
	async function walk(connection: string, destination: string): Promise<void> {
		const way = connections.find(({name}) => name === connection);
		const server = servers().find(each => authority(each) === destination);
		if (!way || !server) return;
		const probe = questions({...server, addresses: [], path: endpoint.pathname, purposes: ['problem_reporting']});
		const stages = await way.walk({...server, ...(probe && {probe})}, stopping.signal);
		const result = resultOfWalk(stages);
		if (result && !stopping.signal.aborted) health.observe(connection, destination, result, Date.now());
	}
	const work = async () => {
		const doubtful = health.doubtful(Date.now());
		await Promise.all(doubtful.map(({connection, destination}) => walk(connection, destination)));
	};
	every(pauseMillis, 'paths in doubt could not be walked', work, upkeep);
	upkeep.stack.defer(() => stopping.abort());
}
