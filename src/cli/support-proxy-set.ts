import {type Document, isMap, isSeq, type YAMLSeq} from 'yaml';
import {editConfig} from '../config-edit.ts';
import {BridgeError} from '../errors.ts';
import {atNextStart} from './connection.ts';
import type {Output} from './print.ts';

export type SupportProxyOptions = {
	readonly endpoint?: string;
	readonly clients?: string;
	readonly user?: string;
	readonly passwordFile?: string;
	readonly passwordEnv?: string;
	readonly removeUser?: string;
	readonly generations?: string;
	/** NAME=VALUE; an empty value brings the default back. */
	readonly limit?: readonly string[];
	readonly insecure?: boolean;
	readonly off?: boolean;
};

const key = 'support_proxy';
type Setting = {readonly path: readonly string[]; readonly value: unknown};
const usage = (message: string) => new BridgeError('ERR_USAGE', message);
const listed = (text: string) => text.split(',').map(word => word.trim());

/** Changes the support proxy's place and who may use it; what is not given stays as it is. */
export function setSupportProxy(file: string | undefined, options: SupportProxyOptions): Output {
	const {user, removeUser, off = false} = options;
	const settings = settingsOf(options);
	const password = passwordOf(options);
	if (off === (settings.length > 0 || user !== undefined || removeUser !== undefined))
		throw usage('give what is to change, such as --endpoint, --clients, --user or --limit, or --off alone');
	const {source, created} = editConfig(file, {
		key,
		edit: document => {
			if (off) return void document.delete(key);
			if (document.get(key) === undefined || document.get(key) === null) document.set(key, document.createNode({}));
			for (const setting of settings) change(document, setting);
			if (removeUser !== undefined) takeUser(document, removeUser);
			if (user !== undefined && password) putUser(document, user, password);
		},
	});
	return {
		json: {config: source, created, support_proxy: off ? null : 'on'},
		lines: [`${source}: ${created ? 'made' : 'changed'}. The support proxy is ${off ? 'off' : 'on'}.`, atNextStart],
	};
}

function settingsOf({endpoint, clients, generations, insecure, limit = []}: SupportProxyOptions): Setting[] {
	const plain = {
		endpoint,
		clients: clients === undefined ? undefined : clients === 'any' ? [] : listed(clients),
		generations: generations === undefined ? undefined : listed(generations),
		insecure,
	};
	return [
		...Object.entries(plain).flatMap(([name, value]) => (value === undefined ? [] : [{path: [key, name], value}])),
		...limit.map(limitOf),
	];
}

function limitOf(text: string): Setting {
	const [, name = '', value = ''] = /^([a-z_]+)=(.*)$/s.exec(text) ?? [];
	if (name === '') throw usage(`--limit ${text} is not NAME=VALUE, such as connections=500`);
	const number = /^\d+$/.test(value) ? Number(value) : value;
	return {path: [key, 'limits', name], value: value === '' ? null : number};
}

function change(document: Document, {path, value}: Setting): void {
	if (value !== null) document.setIn(path, document.createNode(value));
	else if (document.hasIn(path)) document.deleteIn(path);
	const limits = document.getIn([key, 'limits']);
	if (isMap(limits) && limits.items.length === 0) document.deleteIn([key, 'limits']);
}

/** Never the password itself: others on this machine see the command line of a process, and the shell keeps it (G6). */
function passwordOf({user, passwordFile, passwordEnv}: SupportProxyOptions): Record<string, string> | undefined {
	const isGiven = passwordFile !== undefined || passwordEnv !== undefined;
	if (user === undefined && !isGiven) return undefined;
	if (user === undefined || (passwordFile === undefined) === (passwordEnv === undefined))
		throw usage('give --user with one of --password-file and --password-env');
	if (passwordFile !== undefined) return {password_file: passwordFile};
	if (!/^[A-Za-z_]\w*$/.test(passwordEnv ?? '')) throw usage('--password-env is the name of an environment variable');
	return {password: `\${env:${passwordEnv}}`};
}

const usersIn = (document: Document): YAMLSeq | undefined => {
	const users = document.getIn([key, 'basic_auth']);
	return isSeq(users) ? users : undefined;
};

const indexOfUser = (users: YAMLSeq | undefined, name: string): number =>
	users?.items.findIndex(item => isMap(item) && item.get('username') === name) ?? -1;

function putUser(document: Document, username: string, password: Record<string, string>): void {
	const users = usersIn(document);
	const entry = document.createNode({username, ...password});
	const index = indexOfUser(users, username);
	if (!users) document.setIn([key, 'basic_auth'], document.createNode([entry]));
	else if (index < 0) users.items.push(entry);
	else users.items[index] = entry;
}

function takeUser(document: Document, name: string): void {
	const users = usersIn(document);
	const index = indexOfUser(users, name);
	if (index < 0) throw new BridgeError('ERR_NOT_FOUND', `there is no user ${name} in ${key}.basic_auth`);
	users?.items.splice(index, 1);
	if (users?.items.length === 0) document.deleteIn([key, 'basic_auth']);
}
