declare module 'snmp-native' {
	type NativeVarbind = {oid: number[]; type: number; value: unknown; valueRaw?: Buffer};
	export type NativePdu = {type: number; reqid: number; error: number; errorIndex: number; varbinds: NativeVarbind[]};
	export class Packet {
		version: number;
		community: string;
		pdu: NativePdu;
	}
	export function encode(packet: Packet): Buffer;
	/** Throws whatever it stumbles over. */
	export function parse(datagram: Buffer): Packet;
}
