import type {Purpose} from '../../destination.ts';
import {authority} from '../address.ts';
import {type ExaminedConnection, goesAsSent, type PathResult, type ServerResult, type Target} from './diagnosis.ts';
import {carriedBy} from './targets.ts';

const works = ({outcome}: PathResult) => outcome === 'passed' || outcome === 'warned';

/** Which connections lead to each server, and whether all that goes there has a way, be it to a backup (S44). */
export function serversIn(
	targets: readonly Target[],
	connections: readonly ExaminedConnection[],
	paths: readonly PathResult[],
): readonly ServerResult[] {
	const open = paths.filter(path => goesAsSent(path) && works(path));
	const leadsTo = ({host, port}: Target, purpose: Purpose) =>
		open.some(path => path.host === host && path.port === port && path.purposes.includes(purpose));
	return targets.map(target => {
		const {host, port, purposes} = target;
		const others = targets.filter(other => other !== target);
		const helps = (other: Target) => purposes.some(purpose => leadsTo(other, purpose));
		return {
			host,
			port,
			purposes,
			working: open.filter(path => path.host === host && path.port === port).map(({connection}) => connection),
			connections: connections.filter(connection => carriedBy(connection, target).length > 0).map(({name}) => name),
			unknown: paths
				.filter(path => goesAsSent(path) && path.givenUpAt && path.host === host && path.port === port)
				.map(({connection}) => connection),
			backups: others.filter(helps).map(authority),
			passed: purposes.every(purpose => leadsTo(target, purpose) || others.some(other => leadsTo(other, purpose))),
		};
	});
}
