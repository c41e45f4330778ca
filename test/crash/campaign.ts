import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {parseArgs} from 'node:util';
import {toError} from '../../src/errors.ts';
import {freePort} from '../helpers/listen.ts';
import {type Backend, openBackend} from './backend.ts';
import {killAll, logFile, type Places, startBridge, writeConfig} from './bridge.ts';
import {
	countUnfinished,
	findLeaks,
	findSetAside,
	hasLedger,
	readAttempts,
	readLedger,
	readMetrics,
	readStore,
} from './evidence.ts';
import {falsifications} from './falsify.ts';
import {ledgerFaults} from './ledger.ts';
import {type Load, startLoad} from './load.ts';
import {endAtRandom, stop} from './moments.ts';
import {createRandom, type Random} from './random.ts';
import {type Lives, reportOf} from './report.ts';
import {type Evidence, judge} from './verdict.ts';

/**
Kills the bridge with SIGKILL at random moments, under load and with a hostile sandbox, and then counts: every acknowledged event
is there, no fault has two cases, the ledger is whole. `node test/crash/campaign.ts [--kills 100] [--seed N] [--self-check]`
*/

const livesPerRound = 10;
const faultsPerLife = 5;
const killingMillis = 15 * 60_000;
const settleMillis = 240_000;
const mostMishaps = 5;

const {values: options} = parseArgs({
	options: {
		kills: {type: 'string', default: '100'},
		seed: {type: 'string', default: String(Date.now() % 1_000_000_000)},
		/** Shows the verdict falsified evidence, too: each falsification has to be found. */
		'self-check': {type: 'boolean', default: false},
	},
});

type Campaign = {
	readonly places: Places;
	readonly configFile: string;
	readonly backend: Backend;
	readonly load: Load;
	readonly random: Random;
	readonly lives: Lives;
	readonly mishaps: string[];
};

const whole = (name: string, text: string, least: number): number => {
	const number = Number(text);
	if (!Number.isSafeInteger(number) || number < least)
		throw new Error(`--${name} ${text}: write a whole number from ${least} on`);
	return number;
};

async function main() {
	const kills = whole('kills', options.kills, 1);
	const seed = whole('seed', options.seed, 0);
	const directory = await mkdtemp(join(tmpdir(), 'callhome-crash-'));
	console.log(`${kills} kills, seed ${seed}, in ${directory}`);
	const violations = await run(kills, seed, directory).catch(error => [toError(error).stack ?? String(error)]);
	if (violations.length === 0) return rm(directory, {recursive: true, force: true, maxRetries: 3});
	console.log(`\n${violations.length} violations`);
	for (const violation of violations.slice(0, 20)) console.log(`  ${violation}`);
	console.log(`What was left is in ${directory}; --seed ${seed} draws the same moments again.`);
	process.exitCode = 1;
	return undefined;
}

async function run(kills: number, seed: number, directory: string): Promise<readonly string[]> {
	const startedAt = Date.now();
	const random = createRandom(seed);
	const backend = await openBackend(join(directory, 'sandbox'), await freePort(random.next), random.fork());
	const ports = {otlpPort: await freePort(random.next), metricsPort: await freePort(random.next)};
	const places = {directory, destination: backend.url, caFile: backend.caFile, ...ports};
	const lives: Lives = {starts: 0, kills: 0, stops: 0, killsAt: new Map()};
	const load = startLoad({
		url: new URL(`http://127.0.0.1:${places.otlpPort}`),
		random: random.fork(),
		allowance: () => faultsPerLife * lives.starts,
	});
	const campaign: Campaign = {places, configFile: writeConfig(places), backend, load, random, lives, mishaps: []};
	try {
		await killAgainAndAgain(campaign, kills);
		if (campaign.mishaps.length >= mostMishaps) return campaign.mishaps;
		const metrics = await settle(campaign);
		const evidence = collect(campaign, metrics);
		const verdict = judge(evidence);
		const figures = {
			seed,
			seconds: (Date.now() - startedAt) / 1000,
			lives,
			requests: load.tally(),
			attempts: readAttempts(places),
		};
		console.log(reportOf(figures, evidence, verdict));
		return verdict.violations.length === 0 && options['self-check'] ? selfCheck(evidence) : verdict.violations;
	} finally {
		killAll();
		await load.abort();
		await backend.shutdown();
	}
}

async function killAgainAndAgain(campaign: Campaign, kills: number) {
	const {backend, lives, mishaps} = campaign;
	const deadline = Date.now() + killingMillis;
	const goesOn = () => lives.kills < kills && mishaps.length < mostMishaps && Date.now() < deadline;
	for (let round = 0; goesOn(); round++) {
		await backend.nextRound(round % 2 === 1);
		for (let life = 0; life < livesPerRound && goesOn(); life++) await liveOnce(campaign);
		printProgress(campaign);
	}
	if (Date.now() >= deadline) mishaps.push(`there were only ${lives.kills} kills in ${killingMillis / 60_000} minutes`);
}

async function liveOnce({places, configFile, backend, load, random, lives, mishaps}: Campaign) {
	const bridge = startBridge(configFile, places);
	lives.starts++;
	const {how, with: ended, moment} = await endAtRandom({bridge, load, backend, random});
	if (how === 'killed') lives.killsAt.set(moment, (lives.killsAt.get(moment) ?? 0) + 1);
	if (how === 'killed') lives.kills++;
	else if (how === 'stopped') lives.stops++;
	else mishaps.push(`life ${lives.starts} (${moment}) ended by itself with ${ended}: see ${logFile(places)}`);
	if (hasLedger(places))
		mishaps.push(...ledgerFaults(readLedger(places)).map(fault => `after life ${lives.starts} (${moment}): ${fault}`));
}

function printProgress({load, backend, lives}: Campaign) {
	const {acknowledged, unanswered, faults} = load.tally();
	const cases = backend.cases().length;
	console.log(
		`${lives.kills} kills, ${lives.starts} starts: ${acknowledged} requests answered, ${unanswered} cut off, ${load.sent().length} events acknowledged, ` +
			`${faults} faults, ${cases} cases`,
	);
}

/** One last life, in peace: all that was begun comes to its end. Returns what the metrics page says then. */
async function settle({places, configFile, backend, load, lives, mishaps}: Campaign): Promise<Evidence['metrics']> {
	backend.calm();
	const bridge = startBridge(configFile, places);
	lives.starts++;
	const deadline = Date.now() + settleMillis;
	const finished = await Promise.race([load.finish().then(() => true), bridge.ended, pause(settleMillis, false, {ref: false})]);
	if (finished !== true) mishaps.push('the clients did not get all of their events acknowledged');
	while (countUnfinished(places) > 0 && Date.now() < deadline && !bridge.hasEnded()) await pause(250);
	if (countUnfinished(places) > 0)
		mishaps.push(`${countUnfinished(places)} things were left to do after ${settleMillis / 1000} s`);
	const metrics = await readMetrics(places);
	const {how, with: ended} = await stop(bridge);
	if (how === 'stopped') lives.stops++;
	else mishaps.push(`the last life ended with ${ended} and not with 0: see ${logFile(places)}`);
	return metrics;
}

function collect({places, backend, load, mishaps}: Campaign, metrics: Evidence['metrics']): Evidence {
	const {rejectedRecords} = load.tally();
	return {
		acknowledged: load.sent(),
		...readStore(places),
		ledger: readLedger(places),
		cases: backend.cases(),
		metrics,
		setAside: findSetAside(places),
		leaks: findLeaks(places),
		mishaps: rejectedRecords > 0 ? [...mishaps, `${rejectedRecords} requests were answered with rejected records`] : mishaps,
	};
}

function selfCheck(evidence: Evidence): string[] {
	const missed = falsifications.filter(([, says, falsify]) => !judge(falsify(evidence)).violations.some(text => says.test(text)));
	console.log(`self-check: ${falsifications.length - missed.length} of ${falsifications.length} falsifications found`);
	return missed.map(([what]) => `self-check: the verdict does not see ${what}`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
await main();
