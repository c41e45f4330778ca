import {Secret} from '../secret.ts';
import type {OtlpOptions} from './config.ts';
import type {Environment} from './otlp.ts';

const proxyVariables = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'];
const headersVariable = /^OTEL_EXPORTER_OTLP_(?:[A-Z]+_)?HEADERS$/;

/** What a message of the SDK or of Node might repeat. A value of few characters is no secret, and taking it out would garble the text. */
export function secretsOf(otlp: OtlpOptions | undefined, environment: Environment): Secret[] {
	const proxies = proxyVariables.map(name => environment[name] ?? '');
	if (otlp?.proxy instanceof Secret) proxies.push(otlp.proxy.reveal());
	const texts = [...headerValuesOf(environment), ...proxies.flatMap(passwordsOf)].map(text => new Secret(text));
	return [...Object.values(otlp?.headers ?? {}), ...texts].filter(secret => secret.reveal().length > 3);
}

const headerValuesOf = (environment: Environment): string[] =>
	Object.entries(environment)
		.filter(([name]) => headersVariable.test(name))
		.flatMap(([, pairs = '']) => pairs.split(',').map(pair => pair.slice(pair.indexOf('=') + 1).trim()));

/** As the URL has it, and as it is meant. */
function passwordsOf(url: string): string[] {
	const {password} = URL.parse(url) ?? {password: ''};
	try {
		return [password, decodeURIComponent(password)];
	} catch {
		return [password]; // A lone percent sign in it.
	}
}
