import {extname} from 'node:path';
import {fileURLToPath} from 'node:url';
import type systeminformation from 'systeminformation';
import {BridgeError} from '../../errors.ts';
import type {InventorySection} from '../../inventory.ts';
import {complaintOf, runTool} from './tool.ts';

/** The functions of the library that are used. */
const functionsOf = {
	hardware: ['system', 'baseboard', 'chassis', 'cpu', 'memLayout', 'diskLayout', 'graphics', 'usb'],
	firmware: ['bios', 'diskLayout'],
	operating_system: ['osInfo'],
	network: ['networkInterfaces'],
	packages: [],
} as const satisfies Record<InventorySection, readonly (keyof typeof systeminformation)[]>;
type Name = (typeof functionsOf)[InventorySection][number];

/** What the library knows of this machine, each function by itself: one that failed rejects. */
export type Probe = Pick<typeof systeminformation, Name>;

const program = fileURLToPath(new URL(`./inventory-probe${extname(import.meta.filename)}`, import.meta.url));
const timeoutMillis = 120_000;
const mostBytes = 16 * 1024 ** 2;

type Answers = Readonly<Record<string, {readonly value?: unknown; readonly error?: string}>>;

/** Asks the library, in a process of its own, for what these sections need. */
export async function askLibrary(sections: ReadonlySet<InventorySection>, signal: AbortSignal): Promise<Probe> {
	const names = [...new Set([...sections].flatMap(section => [...functionsOf[section]]))];
	if (names.length === 0) return probeOf({});
	const run = await runTool(process.execPath, [program, ...names], {timeoutMillis, signal, mostBytes});
	const failed = (why: string) => new BridgeError('ERR_NOT_READY', `this machine could not be looked into: ${why}`);
	if (run.status !== 'ended') throw failed(run.reason);
	if (run.exitCode !== 0 || run.truncated) throw failed(complaintOf(run.stderr) || `ended with ${run.exitCode}`);
	try {
		return probeOf(JSON.parse(run.stdout));
	} catch (cause) {
		throw new BridgeError('ERR_MALFORMED', 'this machine could not be looked into: the answer is no JSON', {cause});
	}
}

function probeOf(answers: Answers): Probe {
	const ask = (name: Name) => async () => {
		const answer = answers[name];
		if (answer?.error !== undefined) throw new Error(answer.error);
		return answer?.value;
	};
	const names = Object.values(functionsOf).flat();
	return Object.fromEntries(names.map(name => [name, ask(name)])) as unknown as Probe;
}
