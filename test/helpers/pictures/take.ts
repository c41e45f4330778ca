import {execFile} from 'node:child_process';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import type {ExecutionContext} from 'ava';
import {askTarget, boardUids, pickedOf, type Range, readBoard} from '../panels.ts';
import {requiredPeer} from '../peer-binaries.ts';
import {startTrouble} from '../trouble.ts';
import {type Answers, pageOf} from './render.ts';

/**
Draws each dashboard of metrics: bridges run under scripted trouble, a real Prometheus scrapes them, and what it answers to the
queries of the panels is drawn and photographed by Chromium. `npm run pictures`, about two minutes.
*/
const folder = fileURLToPath(new URL('../../../dashboards/pictures/', import.meta.url));
const sceneMillis = 75_000;

async function takeAll(prometheus: URL, since: number, directory: string): Promise<void> {
	for (const uid of boardUids.filter(name => name !== 'callhome-events')) {
		const board = await readBoard(uid);
		const to = Date.now() / 1000;
		const range: Range = {from: since, to, step: Math.max(1, Math.floor((to - since) / 120))};
		const picked = await pickedOf(prometheus, board, to);
		const answers = new Map<number, Answers>();
		for (const {id, targets = []} of board.panels) {
			const asked = await Promise.all(targets.map(target => askTarget(prometheus, target, range, {picked})));
			answers.set(
				id,
				asked.map(({found}) => found),
			);
		}
		const {html, height} = pageOf(board, answers, range);
		await photograph(html, height, join(folder, `${uid}.png`), directory);
	}
}

async function photograph(html: string, height: number, picture: string, directory: string): Promise<void> {
	const file = join(directory, 'page.html');
	await writeFile(file, html);
	const profile = join(directory, 'profile');
	await promisify(execFile)(
		requiredPeer('chromium'),
		[
			'--headless',
			'--no-sandbox',
			'--disable-gpu',
			'--hide-scrollbars',
			`--user-data-dir=${profile}`,
			`--window-size=1536,${height}`,
			`--screenshot=${picture}`,
			`file://${file}`,
		],
		{timeout: 120_000},
	);
}

const ends: (() => unknown)[] = [];
const context = {teardown: (end: () => unknown) => void ends.push(end)} as unknown as ExecutionContext;
const directory = await mkdtemp(join(tmpdir(), 'callhome-pictures-'));
try {
	const {prometheus, since} = await startTrouble(context);
	await pause(sceneMillis);
	await takeAll(prometheus.url, since, directory);
} finally {
	for (const end of ends.reverse()) await end();
	await rm(directory, {recursive: true, force: true});
}
