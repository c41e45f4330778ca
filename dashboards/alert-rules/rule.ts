/**
`critical`: problems do not reach IBM, or nobody knows. `warning`: they do, with less in reserve. `info`: for the next look.
`none`: nobody is to be told, for it says that all is well.
*/
export type Severity = 'critical' | 'warning' | 'info' | 'none';

/** One alert rule, before it is written in the form of a monitoring system. Texts may hold templates of Prometheus. */
export type AlertRule = {
	readonly alert: string;
	readonly severity: Severity;
	/** PromQL of Prometheus 2.42. */
	readonly expr: string;
	/** How long it has to hold, as Prometheus writes a duration. */
	readonly for: string;
	/** One line without values. */
	readonly summary: string;
	/** What is the case, with values. */
	readonly description: string;
	/** What it means for whoever relies on call home. */
	readonly impact: string;
	readonly action: string;
};

export type RuleGroup = {readonly name: string; readonly rules: readonly AlertRule[]};
