import {connectivityGroup} from './connectivity.ts';
import {hardwareGroup} from './hardware.ts';
import {problemsGroup} from './problems.ts';
import type {RuleGroup} from './rule.ts';
import type {Terms} from './terms.ts';

/** Every group, by the name of its file. */
export const ruleGroups = (terms: Terms): Readonly<Record<string, RuleGroup>> => ({
	connectivity: connectivityGroup(terms),
	problems: problemsGroup(terms),
	hardware: hardwareGroup(terms),
});
