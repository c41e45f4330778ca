import {fork} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {type Figure, figureLines, isMet, machineLine} from './parts/figures.ts';

/** All figures, one benchmark after the other. `npm run bench -- [--only NAME] [--quick]` */

const benches = [
	'intake',
	'acceptance',
	'latency',
	'memory',
	'doctor',
	'failover',
	'proxy-hop',
	'support-proxy',
	'snmp',
	'cim',
	'redfish',
	'ledger',
	'dashboards',
];
const {values} = parseArgs({options: {only: {type: 'string', multiple: true}, quick: {type: 'boolean', default: false}}});
const chosen = values.only ?? benches;
const unknown = chosen.filter(name => !benches.includes(name));
if (unknown.length > 0) {
	console.error(`There is no benchmark ${unknown.join(', ')}: it is one of ${benches.join(', ')}.`);
	process.exit(1);
}

async function figuresOf(name: string): Promise<readonly Figure[]> {
	const child = fork(join(import.meta.dirname, `${name}.ts`), values.quick ? ['--quick'] : [], {execArgv: []});
	const pass = (signal: NodeJS.Signals) => void child.kill(signal);
	process.on('SIGINT', pass).on('SIGTERM', pass);
	let figures: readonly Figure[] = [];
	child.on('message', message => {
		figures = message as readonly Figure[];
	});
	const [code, signal] = await once(child, 'exit');
	process.off('SIGINT', pass).off('SIGTERM', pass);
	if (code !== 0) throw new Error(`${name} ended with ${code ?? signal}`);
	return figures;
}

console.log(machineLine());
const figures: Figure[] = [];
for (const name of chosen) figures.push(...(await figuresOf(name)));
console.log(['', machineLine(), ...figureLines(figures)].join('\n'));
if (!values.quick && !figures.every(isMet)) process.exitCode = 1;
