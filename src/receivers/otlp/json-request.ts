import {resourceOf} from './identity.ts';
import {parseObject} from './json-text.ts';
import {attributesIn, listIn, member, objectIn} from './json-values.ts';
import {lazily, limits, type Resource} from './record.ts';
import {malformed} from './wire.ts';

const withoutBigints = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

export function checkSize(value: unknown, what: string, limit: number): void {
	const {length} = Buffer.from(JSON.stringify(value, withoutBigints));
	if (length > limit) throw malformed(`${what} larger than ${limit / 1024} KiB`);
}

function readResource(value: unknown): Resource {
	const resource = objectIn(value, 'resource');
	checkSize(resource, 'resource', limits.resourceBytes);
	return resourceOf(attributesIn(resource, 'attributes'));
}

/** What the members that hold resources, scopes and records are called. */
export type Names = readonly [resources: string, scopes: string, records: string];

/** Visits the log records, the metrics or the spans of a request. */
export function eachRecord(
	body: Uint8Array,
	[resources, scopes, records]: Names,
	visit: (record: unknown, resource: () => Resource) => void,
): void {
	for (const item of listIn(parseObject(body), resources)) {
		const ofResource = objectIn(item, `an item of ${resources}`);
		const resource = lazily(() => readResource(member(ofResource, 'resource') ?? {}));
		for (const scope of listIn(ofResource, scopes)) {
			for (const record of listIn(objectIn(scope, `an item of ${scopes}`), records)) visit(record, resource);
		}
	}
}
