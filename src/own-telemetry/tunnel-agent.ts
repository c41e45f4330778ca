import {type AgentOptions, Agent as HttpAgent} from 'node:http';
import {Agent as HttpsAgent} from 'node:https';
import {isIP, type Socket} from 'node:net';
import type {Duplex} from 'node:stream';
import {type ConnectionOptions, connect} from 'node:tls';
import {toError} from '../errors.ts';

/** A socket to a target over the bridge's own connections, without TLS to it. */
export type OpenTunnel = (target: {readonly host: string; readonly port: number}, signal: AbortSignal) => Promise<Socket>;

type Callback = (error: Error | null, stream: Duplex) => void;
type Target = {readonly host?: string | null | undefined; readonly port?: number | string | null | undefined};

/** What an exporter of OpenTelemetry makes its requests with, over the bridge's own connections. */
export function tunnelAgent(
	protocol: 'http:' | 'https:',
	open: OpenTunnel,
	options: AgentOptions & ConnectionOptions,
): HttpAgent {
	const agent = protocol === 'http:' ? new HttpAgent(options) : new HttpsAgent(options);
	const usualPort = protocol === 'http:' ? 80 : 443;
	agent.createConnection = (target: Target & ConnectionOptions, callback?: Callback) => {
		const host = (target.host ?? 'localhost').replace(/^\[|\]$/g, '');
		const secured = (socket: Socket) =>
			protocol === 'http:'
				? socket
				: connect({...target, socket, ...(isIP(host) === 0 && {servername: host})} as ConnectionOptions);
		open({host, port: Number(target.port ?? usualPort)}, AbortSignal.timeout(options.timeout ?? 10_000)).then(
			socket => callback?.(null, secured(socket)),
			error => (callback as ((error: Error) => void) | undefined)?.(toError(error)),
		);
		return undefined;
	};
	return agent;
}
