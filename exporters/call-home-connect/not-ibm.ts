import type {Reply} from '../../src/exporter.ts';
import {oneLine} from './text.ts';

/** What somebody who is not IBM answered, so that an operator recognizes who it was. */
export function whatCame({statusCode, headers, body}: Reply): string {
	const title = titleOf(body);
	const target = redirectHost(headers.location);
	const facts = [
		`status ${statusCode}`,
		headers['content-type'] ? `content type ${oneLine(headers['content-type'], 80)}` : 'no content type',
		target && `a redirect to ${target}`,
		headers.server && `server "${oneLine(headers.server, 80)}"`,
	];
	const thing = title ? `a page titled "${title}"` : body.trim() === '' ? 'an empty reply' : 'something else';
	return `${thing} (${facts.filter(Boolean).join(', ')})`;
}

function titleOf(body: string): string | undefined {
	const head = body.slice(0, 65_536);
	const start = /<title[^<>]{0,200}>/i.exec(head);
	if (!start) return undefined;
	const rest = head.slice(start.index + start[0].length);
	const end = rest.search(/<\/title/i);
	return oneLine(end === -1 ? rest.slice(0, 80) : rest.slice(0, end), 80) || undefined;
}

/** The host alone: what follows it may carry a session. */
const redirectHost = (location: string | undefined): string | undefined =>
	location && URL.canParse(location) ? new URL(location).host : undefined;
