import type {IncomingMessage, RequestListener} from 'node:http';
import {text} from 'node:stream/consumers';

export type SessionRules = {
	/** Sessions that the module has room for; it answers 503 beyond them, as iDRAC does. */
	readonly places?: number;
	readonly takesBasic?: boolean;
	readonly path?: string;
	readonly username?: string;
	readonly password?: string;
};

/** A SessionService before whatever a module shows (DSP0266, "Redfish session login authentication"). */
export function createSessions({
	places = 4,
	takesBasic = true,
	path = '/redfish/v1/Sessions',
	username = 'u',
	password: first = 'hidden-word',
}: SessionRules = {}) {
	const open = new Map<string, string>();
	const seen = {logins: 0, refused: 0, basic: 0, withToken: 0};
	let password = first;
	let number = 0;

	async function isAdmitted({headers}: IncomingMessage): Promise<boolean> {
		const token = headers['x-auth-token'];
		if (token !== undefined) {
			seen.withToken++;
			return [...open.values()].includes(String(token));
		}
		if (headers.authorization === undefined) return false;
		seen.basic++;
		const isRight = headers.authorization === `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
		if (!isRight) seen.refused++;
		return isRight && takesBasic;
	}

	const before =
		(next: RequestListener): RequestListener =>
		async (request, response) => {
			const {method, url = ''} = request;
			if (method === 'GET' && url === '/redfish/v1/' && !request.headers.authorization && !request.headers['x-auth-token'])
				return void response.end(JSON.stringify({Links: {Sessions: {'@odata.id': path}}}));
			if (method === 'POST' && url === path) {
				const {UserName, Password} = JSON.parse(await text(request));
				seen.logins++;
				if (UserName !== username || Password !== password) {
					seen.refused++;
					return void response.writeHead(401).end();
				}
				if (open.size >= places) return void response.writeHead(503).end();
				const location = `${path}/${++number}`;
				open.set(location, `token-${number}`);
				return void response.writeHead(201, {location, 'x-auth-token': `token-${number}`}).end('{}');
			}
			if (!(await isAdmitted(request))) return void response.writeHead(401).end();
			if (method === 'DELETE' && url.startsWith(`${path}/`)) return void response.writeHead(open.delete(url) ? 204 : 404).end();
			return next(request, response);
		};

	return {
		before,
		open,
		seen,
		changePassword(to: string) {
			password = to;
		},
	};
}
