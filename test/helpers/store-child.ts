import {openStore} from '../../src/store/store.ts';
import {keepProblem} from './stores.ts';

/** Writes to the store of a directory until it is killed, several changes at once, and prints each name that was acknowledged. */
const [directory = '', prefix = ''] = process.argv.slice(2);
const store = await openStore({
	directory,
	onFailure: error => process.stdout.write(`failure ${error.message}\n`),
	onSetAside: ({cause}) => process.stdout.write(`set aside ${cause}\n`),
});

async function write(writer: number): Promise<never> {
	for (let turn = 0; ; turn++) {
		const name = `${prefix}-${writer}-${turn}`;
		await store.write(records => keepProblem(records, name, 3, 'z'.repeat(turn % 7 === 0 ? 9000 : 100)));
		process.stdout.write(`${name}\n`);
	}
}
await Promise.all([0, 1, 2, 3].map(write));
