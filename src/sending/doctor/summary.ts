import type {Stage} from '../../attempt.ts';
import type {Purpose} from '../../destination.ts';
import {authority} from '../address.ts';
import {type Ask, type Diagnosis, goesAsSent, type PathResult, type ServerResult} from './diagnosis.ts';

export const stageNames: Record<Stage, string> = {
	name: 'DNS',
	connection: 'TCP',
	proxy_tls: 'TLS to the proxy',
	proxy: 'proxy',
	proxy_authentication: 'proxy authentication',
	tls: 'TLS',
	http: 'HTTP',
	application: 'application',
};

/** What fails before anything is dialled is no matter of TCP. */
const beforeDialling: Record<string, string | undefined> = {ERR_PAC: 'PAC', ERR_NOT_CONFIGURED: 'configuration'};

/** Where a stage ended, for people. */
export const stageName = ({
	stage,
	error,
}: {
	readonly stage: Stage;
	readonly error?: {readonly code: string} | undefined;
}): string => (stage === 'connection' ? beforeDialling[error?.code ?? ''] : undefined) ?? stageNames[stage];

const purposeNames: Record<Purpose, string> = {
	problem_reporting: 'problems',
	service_information: 'service information',
	extended_error_data: 'uploads',
	configuration_updates: 'configuration updates',
};
export const purposesText = (purposes: readonly Purpose[]): string => purposes.map(purpose => purposeNames[purpose]).join(', ');

/** `proxy proxy.example:3128 -> esupport.ibm.com:443  FAILED at TLS: …`. */
export function pathLine(path: PathResult): string {
	const {connection, by, address, host, outcome} = path;
	const led = by === 'address' && address !== host ? ` at ${address ?? 'its address'}` : '';
	return `${connection} -> ${authority(path)}${led}  ${outcomeText(outcome, path)}`;
}

function outcomeText(outcome: PathResult['outcome'], {failedStage, givenUpAt, stages, note}: PathResult): string {
	const found = stages.findLast(stage => stage.outcome === 'failed' || stage.outcome === 'warned');
	const reason = found?.finding?.short ?? found?.warning ?? found?.error?.message;
	switch (outcome) {
		case 'passed':
			return `works, ${stages.reduce((sum, {duration}) => sum + duration, 0)} ms`;
		case 'warned':
			return `works, with a warning at ${found ? stageName(found) : 'one stage'}: ${reason ?? 'see above'}`;
		case 'failed':
			return `FAILED at ${failedStage ? stageName({stage: failedStage, error: found?.error}) : 'an unknown stage'}: ${reason ?? 'see above'}`;
		case 'skipped':
			return `${givenUpAt ? 'not known' : 'skipped'}: ${note ?? 'nothing to be walked'}`;
	}
}

/** `esupport.ibm.com:443 (problems): works over 1 of 2 connections, not over direct`. */
export function serverLine(server: ServerResult): string {
	const {working, connections, unknown, backups, passed, purposes} = server;
	const name = `${authority(server)} (${purposesText(purposes)})`;
	if (connections.length === 0)
		return `${name}: NO WAY, no connection may carry it (for, under connections)${insteadOf(backups)}`;
	const failing = connections.filter(connection => !working.includes(connection) && !unknown.includes(connection));
	const butNot = failing.length > 0 ? `, not over ${failing.join(', ')}` : '';
	if (working.length > 0) return `${name}: works over ${working.length} of ${countOf(connections)}${butNot}`;
	if (unknown.length > 0)
		return `${name}: not known, ${unknown.length} of ${countOf(connections)} not walked to the end${butNot}`;
	return `${name}: ${passed ? 'no way to it' : 'NO WAY'} over ${countOf(connections)}${insteadOf(backups)}`;
}

const countOf = ({length}: readonly string[]) => `${length} connection${length === 1 ? '' : 's'}`;
const insteadOf = (backups: readonly string[]) => (backups.length === 0 ? '' : `; its backup works: ${backups.join(', ')}`);

/** `allow TCP from this machine to esupport.ibm.com port 443 (HTTPS), today at 192.0.2.1, for problems`. */
export function askLine({kind, from, host, port, protocol, addresses, purposes}: Ask): string {
	const at = addresses.length > 0 ? `, today at ${addresses.join(', ')}` : '';
	const why = `for call home to IBM: ${purposesText(purposes)}`;
	switch (kind) {
		case 'tcp':
			return `allow TCP from ${from} to ${host} port ${port} (${protocol})${at}, ${why}`;
		case 'connect':
			return `allow CONNECT on ${from} to ${authority({host, port})} (${protocol})${at}, ${why}`;
		case 'no_inspection':
			return `exempt ${host} port ${port} (${protocol})${at} from TLS inspection on the way from ${from}, ${why}`;
	}
}

/** Whether it all works. */
export function verdictLine(diagnosis: Diagnosis): string {
	const {passed, interrupted, servers, paths} = diagnosis;
	if (interrupted) return `INTERRUPTED: ${soFar(diagnosis)}`;
	const without = servers.filter(server => !server.passed);
	const failed = paths.filter(path => path.outcome === 'failed' && goesAsSent(path)).length;
	if (servers.length === 0) return 'FAILED: there is no destination to be walked to.';
	if (!passed) return `FAILED: no way to ${without.map(server => authority(server)).join(', ')}.`;
	return failed > 0
		? `PASSED, with a warning: everything has a way, and ${failed} path(s) failed.`
		: 'PASSED: everything has a way over every connection that may carry it.';
}

function soFar({passed, servers, paths}: Diagnosis): string {
	const openEnds = paths.filter(({givenUpAt}) => givenUpAt !== undefined).length;
	const without = servers.filter(server => !server.passed && server.unknown.length === 0).map(authority);
	const failed = paths.filter(({outcome}) => outcome === 'failed').length;
	const begun = `${openEnds} path(s) were not walked to the end`;
	if (passed) return `${begun}, and everything has a way already.`;
	if (without.length > 0) return `no way to ${without.join(', ')}; ${begun}.`;
	return `${begun}, and ${failed === 0 ? 'none has failed' : `${failed} failed`} so far.`;
}
