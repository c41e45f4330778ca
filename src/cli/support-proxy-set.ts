import type {Document} from 'yaml';
import {editConfig} from '../config-edit.ts';
import {BridgeError} from '../errors.ts';
import {atNextStart} from './connection.ts';
import type {Output} from './print.ts';

export type SupportProxyOptions = {
	readonly endpoint?: string;
	readonly clients?: string;
	readonly insecure?: boolean;
	readonly off?: boolean;
};

const key = 'support_proxy';

/** Changes the support proxy's place and who may use it; what is not given stays as it is. */
export function setSupportProxy(file: string | undefined, options: SupportProxyOptions): Output {
	const {endpoint, clients, insecure, off = false} = options;
	const given = {
		endpoint,
		clients: clients?.split(',').map(client => client.trim()),
		insecure,
	};
	const isGiven = Object.values(given).some(value => value !== undefined);
	if (off === isGiven) throw new BridgeError('ERR_USAGE', 'give --endpoint, --clients or --insecure, or --off alone');
	const {source, created} = editConfig(file, {
		key,
		edit: document => {
			if (off) document.delete(key);
			else setAll(document, given);
		},
	});
	return {
		json: {config: source, created, support_proxy: off ? null : 'on'},
		lines: [`${source}: ${created ? 'made' : 'changed'}. The support proxy is ${off ? 'off' : 'on'}.`, atNextStart],
	};
}

function setAll(document: Document, given: Readonly<Record<string, unknown>>): void {
	if (document.get(key) === undefined || document.get(key) === null) document.set(key, document.createNode({}));
	for (const [name, value] of Object.entries(given)) {
		if (value !== undefined) document.setIn([key, name], document.createNode(value));
	}
}
