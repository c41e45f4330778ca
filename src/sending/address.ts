export type Address = {readonly host: string; readonly port: number};

/** HOST:PORT, an IPv6 address in brackets. */
export const authority = ({host, port}: Address): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;
