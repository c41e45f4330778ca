import type {Panel} from '../panels.ts';

/** Names of labels may come from anybody. */
export const escaped = (text: string): string =>
	text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const colors: Record<string, string> = {green: '#3f9b4f', yellow: '#c9a227', orange: '#d9772b', red: '#c4394a', blue: '#3b78c2'};
export const colorOf = (name: string): string => colors[name] ?? name;
export const palette = ['#6cc06f', '#d8b43c', '#5aa9e6', '#e8853d', '#d65a6a', '#9a7bd1', '#4bc2b5', '#c2c24b', '#b0b0b0'];

const durations = [
	['d', 86_400],
	['h', 3600],
	['min', 60],
	['s', 1],
] as const;

const short = (value: number): string => {
	if (!Number.isFinite(value)) return String(value);
	if (Math.abs(value) >= 1e9) return `${(value / 1e9).toFixed(1)} G`;
	if (Math.abs(value) >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
	if (Math.abs(value) >= 1e4) return `${(value / 1e3).toFixed(1)} k`;
	return String(Number(value.toPrecision(3)));
};

/** A value in its unit, as short as it is readable. */
export function formatted(value: number, unit = 'none'): string {
	if (!Number.isFinite(value)) return value > 0 ? '∞' : String(value);
	if (unit === 's') {
		const [word, size] = durations.find(([, seconds]) => Math.abs(value) >= seconds) ?? ['ms', 0.001];
		return `${Number((value / size).toPrecision(3))} ${word}`;
	}
	if (unit === 'percentunit') return `${Number((value * 100).toPrecision(3))} %`;
	const suffix = {bytes: 'B', celsius: '°C', rotrpm: 'rpm', watt: 'W', volt: 'V', cpm: '/min', rps: '/s'}[unit];
	return suffix === undefined ? short(value) : `${short(value)} ${suffix}`;
}

type Look = {readonly text: string; readonly color: string | undefined};
type Limits = readonly {readonly value: number | null; readonly color: string}[];
type Mapping = Readonly<Record<string, {readonly text: string; readonly color: string}>>;

export function lookOf(value: number, {unit, steps, words}: {unit?: string | undefined; steps?: Limits; words?: Mapping}): Look {
	const word = words?.[String(value)];
	if (word) return {text: word.text, color: colorOf(word.color)};
	const step = steps?.findLast(({value: from}) => from === null || value >= from);
	return {text: formatted(value, unit), color: step && colorOf(step.color)};
}

export const defaultsOf = ({fieldConfig}: Panel) => {
	const {unit, thresholds, mappings} = fieldConfig?.defaults ?? {};
	return {unit, steps: thresholds?.steps ?? [], words: mappings?.[0]?.options ?? {}};
};

/** `{{label}}` of a legend, filled in. */
export const legendOf = (legend: string | undefined, metric: Readonly<Record<string, string>>): string =>
	(legend ?? '').replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => metric[label] ?? '').trim();
