declare module 'proxy-from-env' {
	/** The proxy for a URL as `process.env` has it at this moment. Empty: none, or excepted by NO_PROXY. */
	export function getProxyForUrl(url: string): string;
}
