import type {Evidence} from './verdict.ts';

/** Each makes good evidence bad in one way; the words are part of what the verdict then has to say. */
export const falsifications: readonly (readonly [what: string, says: RegExp, falsify: (evidence: Evidence) => Evidence])[] = [
	[
		'an acknowledged event that is gone',
		/is 0 times in the store/,
		evidence => ({...evidence, events: evidence.events.slice(1)}),
	],
	[
		'an event that is kept twice',
		/is 2 times in the store/,
		evidence => ({...evidence, events: [...evidence.events, ...evidence.events.slice(0, 1)]}),
	],
	[
		'a message that opened a second case',
		/two cases for/,
		evidence => ({
			...evidence,
			cases: [...evidence.cases, ...evidence.cases.slice(0, 1).map(known => ({...known, caseNumber: 'TS-second'}))],
		}),
	],
	[
		'a fault that was reported under two ids',
		/belongs to no problem/,
		evidence => ({
			...evidence,
			cases: [
				...evidence.cases,
				...evidence.cases.slice(0, 1).map(known => ({...known, caseNumber: 'TS-other', eventId: 'other'})),
			],
		}),
	],
	['a case that never came', /has 0 cases/, evidence => ({...evidence, cases: evidence.cases.slice(1)})],
	[
		'a problem with the number of another case',
		/not its case of the sandbox/,
		evidence => ({
			...evidence,
			problems: evidence.problems.map((problem, index) => (index === 0 ? {...problem, caseNumber: 'TS-wrong'} : problem)),
		}),
	],
	[
		'a problem that is still queued',
		/is still queued/,
		evidence => ({
			...evidence,
			problems: evidence.problems.map((problem, index) => (index === 0 ? {...problem, state: 'queued'} : problem)),
		}),
	],
	['a submission that was not sent', /still waits to be sent/, evidence => ({...evidence, waiting: ['hardware_alert x']})],
	[
		"an event that no problem's count has",
		/the problems' counts say/,
		evidence => ({
			...evidence,
			problems: evidence.problems.map((problem, index) => (index === 0 ? {...problem, count: problem.count + 1} : problem)),
		}),
	],
	['a metrics page that was not there', /callhome_events_standing say nothing/, evidence => ({...evidence, metrics: undefined})],
	['a damaged page', /the store is damaged/, evidence => ({...evidence, integrity: 'row 1 missing from index'})],
	['a store that was set aside', /was set aside/, evidence => ({...evidence, setAside: ['callhome.db.set-aside-x']})],
	['a key in a log', /a key stands in/, evidence => ({...evidence, leaks: ['bridge.log']})],
	[
		'an entry of the ledger that is gone',
		/the ledger has 2 in the place of 1/,
		evidence => ({...evidence, ledger: {...evidence.ledger, entries: evidence.ledger.entries.slice(1)}}),
	],
	[
		'an entry of the ledger with other words',
		/does not follow/,
		evidence => ({
			...evidence,
			ledger: {...evidence.ledger, entries: evidence.ledger.entries.map(known => ({...known, entry: `${known.entry} `}))},
		}),
	],
	[
		'a request that was changed afterwards',
		/the request of attempt 1 is not/,
		evidence => ({
			...evidence,
			ledger: {...evidence.ledger, attempts: evidence.ledger.attempts.map(known => ({...known, request: 'other'}))},
		}),
	],
	[
		'an attempt that has ended nowhere but in the ledger',
		/attempt 1 has 1 ends/,
		evidence => ({
			...evidence,
			ledger: {...evidence.ledger, attempts: evidence.ledger.attempts.map(known => ({...known, end: null}))},
		}),
	],
	['a bridge that ended by itself', /by itself/, evidence => ({...evidence, mishaps: ['life 3 ended by itself']})],
];
