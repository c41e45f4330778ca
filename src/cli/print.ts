import {styleText} from 'node:util';

/** What a command wants on standard output: JSON for machines, lines for people. */
export type Output = {readonly json: unknown; readonly lines: readonly string[]; readonly exitCode?: number};

export function print({json, lines}: Output, asJson: boolean): void {
	process.stdout.write(asJson ? `${JSON.stringify(json, undefined, 2)}\n` : lines.map(line => `${line}\n`).join(''));
}

/** Columns as wide as their widest cell; the last one is not padded. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
	const widths = head.map((title, column) => Math.max(title.length, ...rows.map(row => row[column]?.length ?? 0)));
	const line = (cells: readonly string[]) =>
		cells.map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('  ');
	return [styleText('bold', line(head)), ...rows.map(line)];
}

/** Facts below each other, their names in one column. */
export function facts(pairs: readonly (readonly [string, string | undefined])[]): string[] {
	const shown = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined);
	const width = Math.max(0, ...shown.map(([name]) => name.length));
	return shown.map(([name, value]) => `${`${name}:`.padEnd(width + 1)} ${value}`);
}

/** Texts of others must not steer the terminal. */
export const printable = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ');

/** The same value to a reader of JSON, which leaves C1 characters and direction marks as they are. */
export const printableJson = (json: string): string =>
	json.replaceAll(/[\u007f-\u009f]|\p{Cf}/gu, mark =>
		mark
			.split('')
			.map(unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
			.join(''),
	);

export const timeText = (millis: number | undefined): string | undefined =>
	millis === undefined ? undefined : new Date(millis).toISOString();
