export type Address = {readonly host: string; readonly port: number};

/** HOST:PORT, an IPv6 address in brackets. */
export const authority = ({host, port}: Address): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** Whom a URL leads to. */
export function addressOf({hostname, port, protocol}: URL): Address {
	const usual = protocol === 'http:' ? 80 : 443;
	return {host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? usual : Number(port)};
}
