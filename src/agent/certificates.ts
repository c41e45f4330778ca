import {X509Certificate} from 'node:crypto';
import {readFile, stat} from 'node:fs/promises';
import type {StageResult} from '../attempt.ts';
import type {Config} from '../config.ts';
import {certificatesIn} from '../sending/authorities.ts';
import {attributeNames, bridgeMetrics, type Observation, observe} from '../telemetry.ts';
import type {Ways} from './ways.ts';

/** PEM files, by the key of the configuration that names them. */
export type CertificateFiles = Readonly<Record<string, string | undefined>>;

/** Those that the bridge shows itself. */
export const certificateFiles = ({receivers, telemetry}: Pick<Config, 'receivers' | 'telemetry'>): CertificateFiles => ({
	'receivers.otlp.tls.cert_file': receivers.otlp.tls?.cert_file,
	'receivers.cim.tls.cert_file': receivers.cim?.tls?.cert_file,
	'receivers.redfish.listen.tls.cert_file': receivers.redfish?.listen?.tls?.cert_file,
	'receivers.alertmanager.tls.cert_file': receivers.alertmanager?.tls?.cert_file,
	'telemetry.otlp.cert_file': telemetry.otlp?.cert_file,
});

type Seen = {readonly certificate: string; readonly connection: string; readonly end: number; readonly at: number};

/** What was not shown again for so long is not in use any more. Milliseconds. */
const keptMillis = 30 * 86_400_000;
/** A PAC file may name proxies without end. */
const mostSeen = 256;

/** When certificates end: those that servers and proxies show at each handshake, and those in files. */
export function watchCertificates(ways: Pick<Ways, 'onStage'>, files: CertificateFiles = {}, now = Date.now) {
	const seen = new Map<string, Seen>();
	const fileEnds = Object.entries(files).flatMap(([certificate, file]) =>
		file === undefined ? [] : [{certificate, end: createFileEnd(file)}],
	);

	function see(connection: string, {stage, peer, certificateEnd: end}: StageResult): void {
		if (end === undefined || (stage !== 'tls' && stage !== 'proxy_tls')) return;
		const certificate = stage === 'tls' ? peer : `proxy ${peer}`;
		const key = JSON.stringify([certificate, connection]);
		seen.delete(key);
		seen.set(key, {certificate, connection, end, at: now()});
		const [oldest] = seen.keys();
		if (seen.size > mostSeen && oldest !== undefined) seen.delete(oldest);
	}

	async function read(): Promise<readonly Observation[]> {
		const inUse = [...seen.values()].filter(({at}) => now() - at <= keptMillis);
		const shown = inUse.map(({certificate, connection, end}) => ({
			value: end / 1000,
			attributes: {[attributeNames.certificate]: certificate, [attributeNames.connection]: connection},
		}));
		const own = await Promise.all(fileEnds.map(async ({certificate, end}) => ({certificate, end: await end()})));
		return [...shown, ...own.flatMap(({certificate, end}) => observationOf(certificate, end))];
	}

	ways.onStage((connection, _destination, result) => see(connection, result));
	return {
		/** For stages that nobody else hears of. */
		see,
		read,
		/** Registers the gauge with the OpenTelemetry SDK that is in force now. */
		observe: () => observe(bridgeMetrics.certificateExpiry, read),
	};
}

const observationOf = (certificate: string, end: number | undefined): Observation[] =>
	end === undefined ? [] : [{value: end / 1000, attributes: {[attributeNames.certificate]: certificate}}];

/**
Unix milliseconds at which the first certificate of a file ends. What was in it at the start is in use until the bridge is
started again, so a new one does not hide its end; one that ends earlier is seen at once.
*/
function createFileEnd(file: string): () => Promise<number | undefined> {
	let version: string | undefined;
	let present: number | undefined;
	async function refresh(): Promise<number | undefined> {
		const {mtimeMs, size, ino} = await stat(file);
		const found = `${mtimeMs} ${size} ${ino}`;
		if (found !== version) present = endOf(await readFile(file, 'utf8'));
		version = found;
		return present;
	}
	// A file that cannot be read has been said at the start by the part that uses it.
	const quietly = () => refresh().catch(() => present);
	const atStart = quietly();
	return async function end() {
		const ends = [await atStart, await quietly()].filter(value => value !== undefined);
		return ends.length === 0 ? undefined : Math.min(...ends);
	};
}

function endOf(pem: string): number | undefined {
	const ends = certificatesIn(pem).map(certificate => Date.parse(new X509Certificate(certificate).validTo));
	const first = Math.min(...ends);
	return Number.isFinite(first) ? first : undefined;
}
