import type {ReadableLogRecord} from '@opentelemetry/sdk-logs';
import type {Pattern} from '../receivers/otlp/pattern.ts';
import {compileLogRules, eventNameKeys, type RecordRules} from '../receivers/otlp/rules.ts';
import type {Selection} from '../receivers/otlp/selection.ts';

type Candidate = Pick<ReadableLogRecord, 'severityNumber' | 'eventName' | 'attributes'>;

/**
False when no rule can select the record, so that a program that logs a lot pays next to nothing. It never says false of
a record that the reader selects; of values and of the resource it leaves the judgment to the reader.
*/
export type Preselection = (record: Candidate) => boolean;

type Rule = RecordRules['rules'][number];

export function createPreselection(selection: Selection): Preselection {
	const {keys, rules} = compileLogRules(selection);
	const has = ({attributes}: Candidate, key: number) => Object.hasOwn(attributes, keys[key] ?? '');

	function couldAccept(rule: Rule, record: Candidate): boolean {
		if ((record.severityNumber ?? 0) < rule.minSeverity) return false;
		if (rule.eventName && !couldBeNamed(rule.eventName, record)) return false;
		if (rule.anyAttribute.length > 0 && !rule.anyAttribute.some(key => has(record, key))) return false;
		return rule.attributes.every(({key}) => has(record, key));
	}

	return function mightSelect(record) {
		for (const rule of rules) if (couldAccept(rule, record)) return true;
		return false;
	};
}

/** Which of the attributes gives the name is for the reader to say. */
function couldBeNamed(pattern: Pattern, {eventName, attributes}: Candidate): boolean {
	if (eventName) return pattern.matchesText(eventName);
	for (const key of eventNameKeys) {
		if (Object.hasOwn(attributes, key) && (typeof attributes[key] === 'object' || pattern.matchesText(String(attributes[key]))))
			return true;
	}
	return false;
}
