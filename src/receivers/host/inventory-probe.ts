/**
A program of its own, started for one collection: the library waits for some of its tools without letting anything else run, and
its memory goes with it. Its arguments are names of the library's functions; it prints what each answered as one JSON object.
*/
import {writeFileSync} from 'node:fs';
import systeminformation from 'systeminformation';

const ask = systeminformation as unknown as Readonly<Record<string, () => Promise<unknown>>>;
const answers: Record<string, {readonly value?: unknown; readonly error?: string}> = {};
for (const name of process.argv.slice(2)) {
	try {
		answers[name] = {value: await ask[name]?.()};
	} catch (error) {
		answers[name] = {error: String(error)};
	}
}
writeFileSync(1, JSON.stringify(answers));
