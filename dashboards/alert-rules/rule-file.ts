import {Document, isScalar, visit} from 'yaml';
import type {AlertRule, RuleGroup} from './rule.ts';

/** The runbooks lie in this folder of the repository, one for each alert. A site that serves them elsewhere names its own base. */
export const runbooksInRepository = 'dashboards/runbooks/';

export type RuleFileOptions = {
	/** What stands before `NAME.md` in `runbook_url`. */
	readonly runbooks?: string;
};

const header = ' Generated from dashboards/alert-rules by "npm run -s rules": a change here would be overwritten.';

/** A rule file of Prometheus. */
export function ruleFileText(groups: readonly RuleGroup[], {runbooks = runbooksInRepository}: RuleFileOptions = {}): string {
	const document = new Document({
		groups: groups.map(({name, rules}) => ({name, rules: rules.map(rule => fileRule(rule, runbooks))})),
	});
	document.commentBefore = header;
	visit(document, {
		Pair(_, {key, value}) {
			if (isScalar(key) && key.value === 'expr' && isScalar(value)) value.type = 'BLOCK_LITERAL';
		},
	});
	return document.toString({lineWidth: 0});
}

const fileRule = ({alert, severity, expr, for: span, ...texts}: AlertRule, runbooks: string) => ({
	alert,
	expr,
	for: span,
	labels: {severity},
	annotations: {
		summary: texts.summary,
		description: texts.description,
		impact: texts.impact,
		action: texts.action,
		runbook_url: `${runbooks}${alert}.md`,
	},
});
