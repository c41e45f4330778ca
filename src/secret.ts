import {inspect} from 'node:util';

const shown = '[redacted]';

/** A value that is used but never shown: logs, JSON, templates and the inspector all print `[redacted]` (G6). */
export class Secret {
	readonly #value: string;

	constructor(value: string) {
		this.#value = value;
	}

	/** The value itself, for the one place that needs it. */
	reveal(): string {
		return this.#value;
	}

	toString(): string {
		return shown;
	}

	toJSON(): string {
		return shown;
	}

	[inspect.custom](): string {
		return shown;
	}
}

/** Takes every secret out of a text that is to be kept or shown, also in the forms in which a text may carry it. */
export function redact(text: string, secrets: readonly Secret[]): string {
	let safe = text;
	for (const secret of secrets) {
		const value = secret.reveal();
		if (value === '') continue;
		for (const form of new Set([value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)])) {
			safe = safe.replaceAll(form, shown);
		}
	}
	return safe;
}
