import {readFile} from 'node:fs/promises';
import test from 'ava';
import {boardUids, readBoard} from '../helpers/panels.ts';
import {pageOf} from '../helpers/pictures/render.ts';

const range = {from: 0, to: 60, step: 1};

for (const uid of boardUids.filter(name => name !== 'callhome-events')) {
	test(`there is a picture of ${uid}, of a modest size`, async t => {
		const picture = await readFile(new URL(`../../dashboards/pictures/${uid}.png`, import.meta.url));
		t.is(picture.subarray(1, 4).toString(), 'PNG');
		t.true(picture.length < 600_000, `${picture.length} bytes`);
	});
}

test('a hostile name of a system is text on the page, and a panel without data says so', async t => {
	const board = await readBoard('callhome-fleet');
	const panel = board.panels.find(({title}) => title === 'Last heartbeat and inventory of each system');
	if (!panel) throw new Error('there is no such panel');
	const metric = {host_name: '<script>alert(1)</script>"\n', instance: 'i1'};
	const answers = [[{metric, value: [0, '7200'] as const}], [{metric, value: [0, '+Inf'] as const}]];
	const {html} = pageOf(board, new Map([[panel.id, answers]]), range);
	t.false(html.includes('<script>'));
	t.true(html.includes('&lt;script&gt;'));
	t.regex(html, /2 h/);
	t.regex(html, /∞/);
	t.regex(html, /no data/);
});
