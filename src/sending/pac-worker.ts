import {isIPv4} from 'node:net';
import {parentPort, receiveMessageOnPort, workerData} from 'node:worker_threads';
import {type JSValueHandle, QuickJS} from 'quickjs-wasi';
import {printableAnswer} from './pac-answer.ts';
import {pacFunctions} from './pac-functions.ts';
import type {PacAnswered, PacQuestion, PacWorkerData} from './pac-thread.ts';

/**
The thread in which PAC files run, each question in a QuickJS of its own: nothing is left of a script when the next one comes.
QuickJS has no file system and no network; a name that is to be resolved is handed to the main thread, and this one waits.
*/
// Ample for the largest file that is read. With twice as much the collector of QuickJS takes half a minute to find it used up.
const memoryLimit = 16 * 1024 ** 2;
const maxAnswerLength = 4096;
const maxNames = 32;

const {names, answered} = workerData as PacWorkerData;

parentPort?.on('message', (question: PacQuestion) => {
	evaluate(question).then(answer => parentPort?.postMessage(answer));
});
parentPort?.postMessage('ready');

async function evaluate({script, url, host, address}: PacQuestion): Promise<PacAnswered> {
	using vm = await QuickJS.create({memoryLimit});
	try {
		const functions = pacFunctions(createResolve(), address);
		for (const [name, run] of Object.entries(functions)) {
			const call = (...parameters: JSValueHandle[]) => vm.hostToHandle(run(...parameters.map(handle => vm.dump(handle))));
			vm.setProp(vm.global, name, vm.newFunction(name, call));
		}
		const find = load(vm, script);
		return typeof find === 'string' ? {fault: find} : ask(vm, find, url, host);
	} catch (error) {
		return {fault: `fails: ${said(error)}`};
	}
}

function load(vm: QuickJS, script: string): JSValueHandle | string {
	try {
		vm.evalCode(script, 'proxy.pac');
		const find = vm.evalCode('typeof FindProxyForURL === "function" ? FindProxyForURL : undefined');
		return vm.typeof(find) === 'function' ? find : 'has no function FindProxyForURL';
	} catch (error) {
		return error instanceof Error && error.name === 'SyntaxError'
			? `is not JavaScript: ${said(error)}`
			: `fails when it is read: ${said(error)}`;
	}
}

function ask(vm: QuickJS, find: JSValueHandle, url: string, host: string): PacAnswered {
	const answer = vm.callFunction(find, vm.undefined, vm.newString(url), vm.newString(host));
	if (answer.isNull) return {answer: ''};
	if (!answer.isString) return {fault: `answers with ${article(vm.typeof(answer))} instead of a text`};
	const {length} = answer;
	if (length > maxAnswerLength) return {fault: `answers with ${length} characters, which is no list of proxies`};
	return {answer: answer.toString()};
}

const article = (type: string): string => (type === 'undefined' ? 'nothing' : `${type === 'object' ? 'an' : 'a'} ${type}`);

function said(error: unknown): string {
	// QuickJS in WebAssembly has no limit of its own for its stack: it runs into the end of it.
	if (error instanceof Error && error.name === 'RuntimeError') return 'it calls itself too deeply';
	const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
	return printableAnswer(text, 200);
}

/** A name is asked for once per question. */
function createResolve(): (host: string) => string | null {
	const known = new Map<string, string | null>();
	return function resolve(host) {
		if (isIPv4(host)) return host;
		if (host === '' || host.length > 253) return null;
		const found = known.get(host);
		if (found !== undefined) return found;
		if (known.size >= maxNames) throw new RangeError(`asks for more than ${maxNames} names`);
		const address = askMainThread(host);
		known.set(host, address);
		return address;
	};
}

function askMainThread(host: string): string | null {
	Atomics.store(answered, 0, 0);
	names.postMessage(host);
	Atomics.wait(answered, 0, 0);
	return receiveMessageOnPort(names)?.message ?? null;
}
