import {lookup} from 'node:dns/promises';
import {isIP} from 'node:net';
import type {Component} from '../../component.ts';
import {toError} from '../../errors.ts';
import type {Attributes} from '../../event.ts';
import {createRefusals, refusedAdvice} from '../../refused-login.ts';
import type {SourceParts} from '../../source.ts';
import type {PollConfig, PolledHost} from './config.ts';
import type {HostMark} from './health.ts';
import {isOf, keyOfHost, loginOf, openSession, targetOf, withDeadline} from './polled-host.ts';
import {configured, scrape} from './scrape.ts';
import {type Session, SessionError, type SessionOptions} from './session.ts';
import {createV2cTransport} from './session-v2c.ts';
import {createTurns} from './turns.ts';

export type Poller = Component & {
	/** What is known of the machine behind an address. */
	known(address: string): Attributes | undefined;
};

/** What follows one host from scrape to scrape. */
type Followed = {
	readonly host: PolledHost;
	readonly key: string;
	/** Scrapes in a row that failed. */
	failures: number;
	/** As it was last written. */
	mark: string | undefined;
	timer?: NodeJS.Timeout;
	resource?: Attributes;
	isStopped: boolean;
};

const source = 'snmp/poll';
/** So many scrapes without an answer, and what was read last is no longer shown. */
const failuresUntilBlank = 3;
/** Requests that a scrape may wait for, one after the other. */
const patience = 20;

/** Asks every host in its own time, spread over the interval, and those that do not answer ever less often. */
export function createPoller(config: PollConfig, parts: SourceParts): Poller {
	const {consume, measure, marks, onTarget, log, now = Date.now, random = Math.random} = parts;
	const known = new Map<string, Attributes>();
	const turns = createTurns(config.concurrency);
	const refusals = createRefusals(marks, config.refused_pause, now);
	const transport = createV2cTransport();
	const running = new Set<Promise<void>>();
	const sessions = new Set<Session>();
	let isClosing = false;

	const follow = (host: PolledHost): Followed => ({
		host,
		key: keyOfHost(host),
		failures: 0,
		mark: undefined,
		isStopped: false,
	});
	const followed = config.hosts.map(follow);
	for (const {host} of followed)
		if (isIP(host.host)) known.set(host.host, {'host.name': host.name ?? host.host, ...configured(host)});

	function later(one: Followed, millis: number): void {
		if (isClosing || one.isStopped) return;
		one.timer = setTimeout(() => {
			const run = turns.take(() => poll(one)).finally(() => running.delete(run));
			running.add(run);
		}, millis);
	}

	async function poll(one: Followed): Promise<void> {
		if (isClosing) return;
		const began = now();
		try {
			await read(one, began);
			one.failures = 0;
			onTarget({source, target: targetOf(one.host), state: 'working', reason: ''});
		} catch (error) {
			if (isClosing) return;
			const {user} = one.host;
			if (user && isOf(error, 'credentials')) await refusals.refused(loginOf(one.key, user));
			fail(one, toError(error));
		}
		later(one, Math.max(0, pauseAfter(one.failures, config, random) - (one.failures === 0 ? now() - began : 0)));
	}

	async function read(one: Followed, at: number): Promise<void> {
		const {host} = one;
		const address = isIP(host.host) ? host.host : (await lookup(host.host)).address;
		if (host.user && one.resource === undefined && (await refusals.isHeld(loginOf(one.key, host.user))))
			throw new SessionError('held', 'it refused this user a short time ago');
		one.mark ??= await marks.read(one.key);
		const options: SessionOptions = {address, port: host.port, timeoutMillis: config.timeout, retries: config.retries};
		const session = withDeadline(openSession(host, options, transport), at + patience * config.timeout, now);
		sessions.add(session);
		try {
			const {max_repetitions: maxRepetitions, recovery_delay: recoveryMillis} = config;
			const scraped = await scrape(session, {host, address, maxRepetitions, recoveryMillis, mark: markIn(one.mark), at});
			if (scraped.events.length > 0) await consume(scraped.events);
			await keepMark(one, JSON.stringify(scraped.mark)); // Only now: what was not kept is found again.
			one.resource = scraped.resource;
			known.set(address, scraped.resource);
			measure(source, scraped.resource, scraped.readings, at, config.interval);
			for (const notice of scraped.notices) log('info', `SNMP poll of ${targetOf(host)}: ${notice}`);
		} finally {
			if (sessions.delete(session)) session.close();
		}
	}

	async function keepMark(one: Followed, mark: string): Promise<void> {
		if (mark !== one.mark) await marks.write(one.key, mark);
		one.mark = mark;
	}

	function fail(one: Followed, error: Error): void {
		const {host, resource} = one;
		one.failures++;
		one.isStopped = isOf(error, 'credentials') || isOf(error, 'held');
		if (resource && (one.isStopped || one.failures === failuresUntilBlank)) measure(source, resource, [], now());
		const reason = one.isStopped
			? `${error.message}: ${refusedAdvice}, and after a restart of the bridge`
			: reasonOf(error, host);
		onTarget({source, target: targetOf(host), state: one.isStopped ? 'stopped' : 'failing', reason});
	}

	return {
		name: 'SNMP poller',
		known: address => known.get(address),
		async start() {
			for (const one of followed) later(one, random() * Math.min(config.interval, 60_000));
		},
		async shutdown() {
			isClosing = true;
			for (const {timer} of followed) clearTimeout(timer);
			transport.close();
			for (const session of sessions) session.close();
			sessions.clear();
			await Promise.all(running);
		},
	};
}

/** An agent of version 1 or 2c says nothing to a wrong community: then it may be either. */
function reasonOf(error: Error, {version}: PolledHost): string {
	if (!(error instanceof SessionError) || error.fault !== 'timeout' || version === '3') return error.message;
	return `${error.message}: it cannot be reached, or the community is wrong`;
}

/** Milliseconds from the beginning of a scrape to the next one: the interval, doubled with each failure, and never the same for all. */
export function pauseAfter(
	failures: number,
	{interval, max_interval}: Pick<PollConfig, 'interval' | 'max_interval'>,
	random: () => number,
): number {
	if (failures === 0) return interval * (0.95 + random() * 0.1);
	return Math.max(interval, Math.min(max_interval, interval * 2 ** Math.min(failures, 20))) * (0.75 + random() * 0.5);
}

/** A mark that cannot be read is as good as none. */
function markIn(text: string | undefined): HostMark | undefined {
	if (text === undefined) return undefined;
	try {
		const mark = JSON.parse(text) as Partial<HostMark>;
		return typeof mark.standing === 'object' && mark.standing !== null ? (mark as HostMark) : undefined;
	} catch {
		return undefined;
	}
}
