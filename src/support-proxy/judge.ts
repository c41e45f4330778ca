import type {IncomingMessage} from 'node:http';
import {type Traffic, trafficOf} from '../destination.ts';
import {type AllowList, createAllowList, firstPurpose, type Index, type Passing} from './allow-list.ts';
import type {AbsoluteTarget, Target} from './authority.ts';
import type {SupportProxyConfig} from './config.ts';
import {createAuthentication} from './credentials.ts';
import {createLookups, type Resolve} from './lookups.ts';
import type {Refusal} from './refusal.ts';
import {downloadRuling, notListed, type Ruling, tunnelRuling} from './ruling.ts';

/** What is known of a request once it is judged. */
export type Judged<T extends Target> = {
	readonly user: string | undefined;
	readonly target?: Target | undefined;
	readonly verdict:
		| {readonly passes: true; readonly target: T; readonly traffic: Traffic}
		| {readonly passes: false; readonly refusal: Refusal};
};

export type JudgeParts = {
	/** What passes now. The list is the same object as long as nothing has changed. */
	readonly passing: () => readonly Passing[];
	readonly resolve: Resolve;
	readonly now: () => number;
};

/** Who asks, then whether that passes: whoever does not say who he is learns nothing of the list. */
export function createJudge({basic_auth}: Pick<SupportProxyConfig, 'basic_auth'>, {passing, resolve, now}: JudgeParts) {
	const identify = createAuthentication(basic_auth, now);
	const purposesNow = createLookups(resolve, {now});
	let known: readonly Passing[] | undefined;
	let list: AllowList = createAllowList([]);
	const listNow = (): AllowList => {
		const current = passing();
		if (current !== known) list = createAllowList(current);
		known = current;
		return list;
	};

	async function judge<T extends Target>(
		request: IncomingMessage,
		client: string,
		rule: (request: IncomingMessage, list: AllowList) => Ruling<T>,
		indexOf: (list: AllowList) => Index,
	): Promise<Judged<T>> {
		const {user, refusal} = identify(client, request.headers['proxy-authorization']);
		if (refusal) return {user, verdict: {passes: false, refusal}};
		const current = listNow();
		const ruling = rule(request, current);
		if (ruling.status === 'refused') return {user, target: ruling.target, verdict: {passes: false, refusal: ruling.refusal}};
		const {target} = ruling;
		const purposes = ruling.status === 'passes' ? ruling.purposes : await purposesNow(target, indexOf(current));
		if (purposes.size > 0) return {user, target, verdict: {passes: true, target, traffic: trafficOf[firstPurpose(purposes)]}};
		return {user, target, verdict: {passes: false, refusal: notListed(target)}};
	}

	return {
		tunnel: (request: IncomingMessage, client: string): Promise<Judged<Target>> =>
			judge(request, client, tunnelRuling, ({tunnels}) => tunnels),
		download: (request: IncomingMessage, client: string): Promise<Judged<AbsoluteTarget>> =>
			judge(request, client, downloadRuling, ({downloads}) => downloads),
	};
}
