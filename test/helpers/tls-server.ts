import 'reflect-metadata';
import {generateKeyPairSync, type KeyObject} from 'node:crypto';
import {once} from 'node:events';
import type {RequestListener, Server} from 'node:http';
import {createServer as createHttpsServer} from 'node:https';
import {type AddressInfo, createServer as createSocketServer, type Socket, type Server as SocketServer} from 'node:net';
import {createServer as createTlsServer, type TLSSocket, type TlsOptions} from 'node:tls';
import * as x509 from '@peculiar/x509';
import type {ExecutionContext} from 'ava';

export type Identity = {readonly cert: string; readonly key: string};
export type Wanted = {
	/** DNS names; 127.0.0.1 is only in it when `addresses` says so. */
	readonly names?: readonly string[];
	readonly addresses?: readonly string[];
	readonly notBefore?: Date;
	readonly notAfter?: Date;
};
export type TestAuthority = {readonly pem: string; issue(wanted?: Wanted): Promise<Identity>};

const dayMillis = 86_400_000;
const curve = {name: 'ECDSA', namedCurve: 'P-256'};
const signingAlgorithm = {name: 'ECDSA', hash: 'SHA-256'};

function newKeys() {
	const {publicKey, privateKey} = generateKeyPairSync('ec', {namedCurve: curve.namedCurve});
	return {
		pem: (privateKey as KeyObject).export({type: 'pkcs8', format: 'pem'}).toString(),
		publicKey: publicKey.toCryptoKey(curve, true, ['verify']),
		privateKey: privateKey.toCryptoKey(curve, true, ['sign']),
	};
}

/** An authority that only the test knows. */
export async function makeTestAuthority(name = 'CN=Test authority'): Promise<TestAuthority> {
	const keys = newKeys();
	const authority = await x509.X509CertificateGenerator.createSelfSigned({
		name,
		keys,
		signingAlgorithm,
		notBefore: new Date(Date.now() - 400 * dayMillis),
		notAfter: new Date(Date.now() + 400 * dayMillis),
		extensions: [
			new x509.BasicConstraintsExtension(true, undefined, true),
			new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
		],
	});
	return {
		pem: authority.toString('pem'),
		async issue({names = ['localhost'], addresses = [], notBefore, notAfter} = {}) {
			const own = newKeys();
			const certificate = await x509.X509CertificateGenerator.create({
				subject: `CN=${names[0] ?? addresses[0]}`,
				issuer: authority.subject,
				publicKey: own.publicKey,
				signingKey: keys.privateKey,
				signingAlgorithm,
				notBefore: notBefore ?? new Date(Date.now() - dayMillis),
				notAfter: notAfter ?? new Date(Date.now() + 30 * dayMillis),
				extensions: [
					new x509.SubjectAlternativeNameExtension([
						...names.map(value => ({type: 'dns' as const, value})),
						...addresses.map(value => ({type: 'ip' as const, value})),
					]),
				],
			});
			return {cert: certificate.toString('pem'), key: own.pem};
		},
	};
}

async function opened<S extends Server | SocketServer>(t: ExecutionContext, server: S): Promise<number> {
	const sockets = new Set<Socket>();
	server.on('connection', (socket: Socket) => {
		sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => {
		server.close();
		for (const socket of sockets) socket.destroy();
	});
	return (server.address() as AddressInfo).port;
}

/** A real HTTPS server on a free port. */
export async function listenTls(t: ExecutionContext, identity: Identity & TlsOptions, listener: RequestListener): Promise<URL> {
	const server = createHttpsServer(identity, listener).on('tlsClientError', () => {});
	return new URL(`https://localhost:${await opened(t, server)}/connect/api/v1`);
}

/** A TLS server below HTTP: for replies that no HTTP server would give. */
export async function listenTlsSocket(
	t: ExecutionContext,
	identity: Identity,
	onSocket: (socket: TLSSocket) => void,
): Promise<URL> {
	const server = createTlsServer(identity, socket => onSocket(socket.on('error', () => {}))).on('tlsClientError', () => {});
	return new URL(`https://localhost:${await opened(t, server)}/connect/api/v1`);
}

/** A TCP server that does whatever the test says. Answers its port. */
export async function listenSocket(t: ExecutionContext, onSocket: (socket: Socket) => void): Promise<number> {
	return opened(t, createSocketServer(onSocket));
}
