import {createSocket} from 'node:dgram';
import {once} from 'node:events';
import type {ExecutionContext} from 'ava';
import {type Answer, decode, encode, RECURSION_AVAILABLE, RECURSION_DESIRED} from 'dns-packet';

export type DnsServer = {
	/** As `dns_servers` of the configuration has it. */
	readonly address: string;
	/** TYPE NAME of each question, in order. */
	readonly asked: readonly string[];
};

/** By name, its addresses of both kinds; a word says what the server does instead. A name that is not there does not exist. */
export type Zone = Readonly<Record<string, readonly string[] | 'silent' | 'servfail' | 'garbage'>>;

const nxDomain = 3;
const servFail = 2;

/** A small DNS server on UDP that tells what the test wants it to tell. */
export async function startDnsServer(t: ExecutionContext, zone: Zone): Promise<DnsServer> {
	const asked: string[] = [];
	const socket = createSocket('udp4');
	socket.on('message', (message, {port, address}) => {
		const {id = 0, questions = []} = decode(message);
		const [question] = questions;
		if (!question) return;
		const {name, type} = question;
		asked.push(`${type} ${name}`);
		const known = zone[name.toLowerCase()];
		if (known === 'silent') return;
		if (known === 'garbage') return void socket.send(Buffer.from('no answer of DNS'), port, address);
		const isOfType = (data: string) => (type === 'AAAA') === data.includes(':');
		const addresses = Array.isArray(known) ? known.filter(isOfType) : [];
		const answers = addresses.map((data): Answer => ({type: type === 'AAAA' ? 'AAAA' : 'A', name, ttl: 1, data}));
		const code = known === 'servfail' ? servFail : known === undefined ? nxDomain : 0;
		const flags = RECURSION_DESIRED | RECURSION_AVAILABLE | code;
		socket.send(encode({type: 'response', id, flags, questions, answers}), port, address);
	});
	socket.bind(0, '127.0.0.1');
	await once(socket, 'listening');
	t.teardown(() => socket.close());
	return {address: `127.0.0.1:${socket.address().port}`, asked};
}
