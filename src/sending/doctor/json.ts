import {authority} from '../address.ts';
import type {Ask, Diagnosis, ExaminedStage, PathResult, ServerResult} from './diagnosis.ts';
import {askLine} from './summary.ts';

/** Certificates and pages may have anything in them. JSON leaves some of what steers a terminal as it is. */
const clean = (text: string | undefined): string | null =>
	text === undefined ? null : text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ');
const timeText = (millis: number) => new Date(millis).toISOString();

/** For machines: names in snake_case, times in RFC 3339, durations in milliseconds; null where there is nothing to say. */
export const diagnosisJson = ({passed, interrupted, startedAt, duration, paths, servers, asks}: Diagnosis) => ({
	passed,
	interrupted,
	started_at: timeText(startedAt),
	duration_ms: duration,
	paths: paths.map(pathJson),
	destinations: servers.map(serverJson),
	firewall: asks.map(askJson),
});

const pathJson = (path: PathResult) => ({
	connection: clean(path.connection),
	kind: path.kind,
	destination: authority(path),
	purposes: path.purposes,
	by: path.by,
	address: path.address ?? null,
	outcome: path.outcome,
	failed_stage: path.failedStage ?? null,
	given_up_at: path.givenUpAt ?? null,
	note: clean(path.note),
	stages: path.stages.map(stageJson),
});

const stageJson = ({
	stage,
	peer,
	outcome,
	startedAt,
	duration,
	detail,
	warning,
	certificateEnd,
	error,
	finding,
}: ExaminedStage) => ({
	stage,
	peer,
	outcome,
	started_at: timeText(startedAt),
	duration_ms: duration,
	detail: clean(detail),
	warning: clean(warning),
	certificate_end: certificateEnd === undefined ? null : timeText(certificateEnd),
	error: error ? {code: error.code, message: clean(error.message)} : null,
	cause: clean(finding?.cause),
	advice: clean(finding?.advice),
});

const serverJson = (server: ServerResult) => ({
	destination: authority(server),
	purposes: server.purposes,
	passed: server.passed,
	connections: server.connections.map(clean),
	working: server.working.map(clean),
	unknown: server.unknown.map(clean),
	backups: server.backups,
});

const askJson = (ask: Ask) => ({
	kind: ask.kind,
	from: clean(ask.from),
	host: ask.host,
	port: ask.port,
	protocol: ask.protocol,
	addresses: ask.addresses,
	purposes: ask.purposes,
	needed: ask.needed,
	text: clean(askLine(ask)),
});
