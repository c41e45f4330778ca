import {readFile} from 'node:fs/promises';
import type {ExecutionContext} from 'ava';
import {type Collector, type CollectorConfig, type CollectorOptions, startCollector} from './collector.ts';
import {freePort} from './listen.ts';

/** One of the Collector recipes, as it is shipped. */
export const recipe = (name: string): Promise<string> =>
	readFile(new URL(`../../dashboards/collector/${name}.yaml`, import.meta.url), 'utf8');

/** A recipe for this test's addresses: each of these texts stands in it, and is replaced wherever it does. */
export async function recipeWith(name: string, replacements: Readonly<Record<string, string>>): Promise<string> {
	let text = await recipe(name);
	for (const [shipped, here] of Object.entries(replacements)) {
		if (!text.includes(shipped)) throw new Error(`${name}.yaml has no ${shipped}`);
		text = text.replaceAll(shipped, here);
	}
	return text;
}

/** forward.yaml and a recipe beside it, which forwards to this intake. */
export async function startBesideForward(
	t: ExecutionContext,
	intake: URL,
	config: CollectorConfig | readonly CollectorConfig[],
	options: CollectorOptions = {},
): Promise<Collector> {
	const forward = {
		receivers: {otlp: {protocols: {http: {endpoint: `127.0.0.1:${await freePort()}`}}}},
		exporters: {'otlp_http/callhome': {endpoint: intake.origin}},
		extensions: {'file_storage/callhome': {directory: 'queue', compaction: {directory: 'queue'}}},
	};
	return startCollector(t, [await recipe('forward'), forward, ...[config].flat()], options);
}
