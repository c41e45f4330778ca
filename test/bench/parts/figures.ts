import {cpus} from 'node:os';

/** One measured figure. Without an aim it is there to be looked at. */
export type Figure = {
	readonly name: string;
	readonly value: number;
	readonly unit: string;
	readonly aim?: {readonly atLeast?: number; readonly atMost?: number};
};

/** The value below which this part of the values lies; of no values it is not a number. */
export function quantile(values: ArrayLike<number>, part: number): number {
	const sorted = Float64Array.from(values).sort();
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

export const median = (values: ArrayLike<number>): number => quantile(values, 0.5);

export const isMet = ({value, aim = {}}: Figure): boolean =>
	value >= (aim.atLeast ?? Number.NEGATIVE_INFINITY) && value <= (aim.atMost ?? Number.POSITIVE_INFINITY);

/** Three digits that count are as many as such a measurement has. */
export function numberText(value: number): string {
	if (!Number.isFinite(value)) return '-';
	const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
	return value.toLocaleString('en', {maximumFractionDigits: digits, minimumFractionDigits: digits});
}

function aimText({unit, aim}: Figure): string {
	if (aim?.atLeast !== undefined) return `>= ${numberText(aim.atLeast)} ${unit}`;
	return aim?.atMost === undefined ? '' : `<= ${numberText(aim.atMost)} ${unit}`;
}

/** One line a figure: what, how much, how much was wanted, and whether it is. */
export function figureLines(figures: readonly Figure[]): string[] {
	const rows = figures.map(figure => [
		figure.name,
		`${numberText(figure.value)} ${figure.unit}`,
		aimText(figure),
		figure.aim ? (isMet(figure) ? 'yes' : 'NO') : '',
	]);
	const cells = [['figure', 'measured', 'aim', 'met'], ...rows];
	const widths = [0, 1, 2, 3].map(column => Math.max(...cells.map(row => row[column]?.length ?? 0)));
	return cells.map(row =>
		row
			.map((cell, column) => cell.padEnd(widths[column] ?? 0))
			.join('  ')
			.trimEnd(),
	);
}

export const machineLine = (): string =>
	`${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), Node ${process.version}, ${process.platform} ${process.arch}`;
