import type {DashboardFile, Found, Panel, Range} from '../panels.ts';
import {defaultsOf, escaped, formatted, legendOf, lookOf, palette} from './format.ts';

/** What Prometheus answered to each target of a panel, in their order. */
export type Answers = readonly (readonly Found[])[];

const column = 64;
const row = 34;
const gap = 6;

/** A page that shows a dashboard as it lies in its file, with what was answered to its queries. */
export function pageOf(
	board: DashboardFile,
	answers: ReadonlyMap<number, Answers>,
	range: Range,
): {html: string; height: number} {
	const height = Math.max(...board.panels.map(({gridPos: {y, h}}) => y + h)) * row + 80;
	const panels = board.panels.map(panel => placed(panel, answers.get(panel.id) ?? [], range)).join('\n');
	return {
		height,
		html: `<!doctype html><meta charset="utf-8"><style>${style}</style>
<h1>${escaped(board.title)}</h1>
<p class="note">Drawn by "npm run pictures" from the dashboard’s file and from what a real Prometheus answered to its queries. Not a screenshot of Grafana.</p>
<div class="board">${panels}</div>`,
	};
}

const style = `
body{margin:0;background:#111217;color:#d8d9da;font:12px "DejaVu Sans",sans-serif;width:${24 * column}px}
h1{font-size:18px;margin:12px 10px 2px}.note{margin:0 10px 8px;color:#8e9094;font-size:11px}
.board{position:relative}.panel{position:absolute;box-sizing:border-box;background:#181b1f;border:1px solid #2a2d33;border-radius:3px;padding:6px;overflow:hidden}
.row{background:none;border:none;font-size:14px;padding:8px 2px}h2{font-size:12px;margin:0 0 4px;font-weight:bold;color:#ccccdc}
.empty{color:#75777c;padding:20px;text-align:center}.stats{display:flex;gap:4px;height:calc(100% - 22px)}
.stat{flex:1;border-radius:3px;display:flex;flex-direction:column;justify-content:center;align-items:center;color:#fff;font-size:17px;overflow:hidden}.stat small{font-size:9px;opacity:.85}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:2px 6px;border-bottom:1px solid #2a2d33;white-space:nowrap;max-width:240px;overflow:hidden;text-overflow:ellipsis}th{color:#6ea6e8;font-weight:normal}
.legend{font-size:10px;color:#b0b2b6;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}.legend i{display:inline-block;width:8px;height:8px;margin:0 3px 0 8px}text{fill:#9a9ca1;font-size:10px}`;

function placed(panel: Panel, answers: Answers, range: Range): string {
	const {x, y, w, h} = panel.gridPos;
	const box = `left:${x * column}px;top:${y * row}px;width:${w * column - gap}px;height:${h * row - gap}px`;
	if (panel.type === 'row') return `<div class="panel row" style="${box}">${escaped(panel.title)}</div>`;
	const size = {width: w * column - gap - 14, height: h * row - gap - 34};
	return `<div class="panel" style="${box}"><h2>${escaped(panel.title)}</h2>${contentOf(panel, answers, range, size)}</div>`;
}

type Size = {readonly width: number; readonly height: number};

function contentOf(panel: Panel, answers: Answers, range: Range, size: Size): string {
	if (answers.every(found => found.length === 0)) return '<div class="empty">no data</div>';
	if (panel.type === 'stat') return statsOf(panel, answers);
	if (panel.type === 'table') return tableOf(panel, answers);
	if (panel.type === 'timeseries') return linesOf(panel, answers, range, size);
	return stripsOf(panel, answers, range, size);
}

function statsOf(panel: Panel, answers: Answers): string {
	const boxes = answers.flatMap((found, index) =>
		found.map(({metric, value}) => {
			const {text, color = '#3b78c2'} = lookOf(Number(value?.[1]), defaultsOf(panel));
			const legend = legendOf(panel.targets?.[index]?.legendFormat, metric);
			return `<div class="stat" style="background:${color}">${escaped(text)}<small>${escaped(legend)}</small></div>`;
		}),
	);
	return `<div class="stats">${boxes.join('')}</div>`;
}

/** As Grafana merges: one row for all answers with the same labels. */
function tableOf(panel: Panel, answers: Answers): string {
	const organize = panel.transformations?.find(({id}) => id === 'organize')?.options as {renameByName: Record<string, string>};
	const columns = Object.entries(organize.renameByName);
	const valueName = (index: number) => (answers.length === 1 ? 'Value' : `Value #${String.fromCharCode(65 + index)}`);
	const rows = new Map<string, Record<string, string>>();
	for (const [index, found] of answers.entries()) {
		for (const {metric, value} of found) {
			const key = JSON.stringify(Object.entries(metric).toSorted());
			rows.set(key, {...metric, ...rows.get(key), [valueName(index)]: value?.[1] ?? ''});
		}
	}
	const {displayName: sortBy, desc = true} =
		(panel.options?.sortBy as {displayName: string; desc?: boolean}[] | undefined)?.[0] ?? {};
	const sortKey = columns.find(([, name]) => name === sortBy)?.[0] ?? '';
	const sorted = [...rows.values()].sort(
		(a, b) =>
			(desc ? 1 : -1) *
				(Number((b[sortKey] ?? '').replace('+Inf', 'Infinity')) - Number((a[sortKey] ?? '').replace('+Inf', 'Infinity'))) || 0,
	);
	const head = columns.map(([, name]) => `<th>${escaped(name)}</th>`).join('');
	const body = sorted.map(cells => `<tr>${columns.map(([key, name]) => cellOf(panel, name, key, cells[key])).join('')}</tr>`);
	return `<table><tr>${head}</tr>${body.join('')}</table>`;
}

function cellOf({fieldConfig}: Panel, name: string, key: string, text = ''): string {
	if (!key.startsWith('Value') || text === '') return `<td>${escaped(text)}</td>`;
	const own = fieldConfig?.overrides.find(({matcher}) => matcher.options === name)?.properties ?? [];
	const property = <Value>(id: string) => own.find(other => other.id === id)?.value as Value | undefined;
	const look = lookOf(Number(text.replace('+Inf', 'Infinity')), {
		unit: property<string>('unit'),
		steps: property<{steps: {value: number | null; color: string}[]}>('thresholds')?.steps ?? [],
		words: property<{options: Record<string, {text: string; color: string}>}[]>('mappings')?.[0]?.options ?? {},
	});
	return `<td style="${look.color ? `background:${look.color};color:#fff` : ''}">${escaped(look.text)}</td>`;
}

type Line = {readonly legend: string; readonly points: readonly (readonly [number, number])[]};

const linesIn = (panel: Panel, answers: Answers): Line[] =>
	answers.flatMap((found, index) =>
		found.map(({metric, values = []}) => ({
			legend: legendOf(panel.targets?.[index]?.legendFormat, metric) || panel.title,
			points: values.map(([at, value]) => [at, Number(value)] as const).filter(([, value]) => Number.isFinite(value)),
		})),
	);

function linesOf(panel: Panel, answers: Answers, {from, to}: Range, {width, height}: Size): string {
	const {unit} = defaultsOf(panel);
	const lines = linesIn(panel, answers);
	const all = lines.flatMap(({points}) => points.map(([, value]) => value));
	const [low, high] = [Math.min(0, ...all), Math.max(...all, 1e-9)];
	const [left, bottom] = [54, height - 34];
	const at = (seconds: number) => left + ((seconds - from) / (to - from)) * (width - left);
	const up = (value: number) => bottom - ((value - low) / (high - low || 1)) * (bottom - 8);
	const drawn = lines.map(({points}, index) => {
		const path = points.map(([seconds, value]) => `${at(seconds).toFixed(1)},${up(value).toFixed(1)}`).join(' ');
		return `<polyline points="${path}" fill="none" stroke="${palette[index % palette.length]}" stroke-width="1.5"/>`;
	});
	const scale = [low, (low + high) / 2, high].map(
		value =>
			`<text x="2" y="${up(value) + 3}">${escaped(formatted(value, unit))}</text><line x1="${left}" x2="${width}" y1="${up(value)}" y2="${up(value)}" stroke="#2a2d33"/>`,
	);
	const legend = lines.map(
		({legend}, index) => `<i style="background:${palette[index % palette.length]}"></i>${escaped(legend)}`,
	);
	return `<svg width="${width}" height="${height - 20}">${scale.join('')}${drawn.join('')}</svg><div class="legend">${legend.join('')}</div>`;
}

/** State timeline and status history: a row for each series, a color for each value. */
function stripsOf(panel: Panel, answers: Answers, {from, to, step}: Range, {width, height}: Size): string {
	const lines = linesIn(panel, answers).toSorted((a, b) => (a.legend < b.legend ? -1 : 1));
	const [left, tall] = [330, Math.min(22, (height - 6) / lines.length)];
	const at = (seconds: number) => left + ((seconds - from) / (to - from + step)) * (width - left);
	const wide = Math.max(1, at(from + step) - at(from) + 0.5);
	const rows = lines.map(({legend, points}, index) => {
		const cells = points.map(([seconds, value]) => {
			const {color = '#555'} = lookOf(value, defaultsOf(panel));
			return `<rect x="${at(seconds).toFixed(1)}" y="${index * tall}" width="${wide.toFixed(1)}" height="${tall - 3}" fill="${color}"/>`;
		});
		return `<text x="2" y="${index * tall + tall / 2 + 2}">${escaped(legend.slice(0, 58))}</text>${cells.join('')}`;
	});
	return `<svg width="${width}" height="${height}">${rows.join('')}</svg>`;
}
