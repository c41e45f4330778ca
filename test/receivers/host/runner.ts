import test from 'ava';
import fc from 'fast-check';
import {parseConfig} from '../../../src/config.ts';
import {digest, type Finding, toEvent} from '../../../src/receivers/host/alert.ts';
import {changesOf, type Levels} from '../../../src/receivers/host/levels.ts';
import {createRunner} from '../../../src/receivers/host/runner.ts';
import {createThinning} from '../../../src/receivers/host/thin.ts';
import type {TargetState} from '../../../src/source.ts';
import {eventually} from '../../helpers/listen.ts';

const fan = {type: 'fan', id: 'fan/1', name: 'fan 1'} as const;
const finding = (changes: Partial<Finding> = {}): Finding => ({
	part: fan,
	state: 'failed',
	message: 'm',
	identity: ['i'],
	...changes,
});

test('a source that fails is asked less and less often, and as often as before when it is well', async t => {
	const looks: number[] = [];
	const states: TargetState[] = [];
	let fails = true;
	const runner = createRunner(
		{
			name: 'x',
			intervalMillis: 30,
			look: async () => {
				looks.push(performance.now());
				if (looks.length % 2 === 0) throw new Error('a bug is no end');
				return fails ? {status: 'failing', reason: 'a bug is no end'} : {status: 'read', findings: []};
			},
		},
		{
			consume: async () => [],
			measure: () => {},
			marks: {read: async () => undefined, write: async () => {}},
			onTarget: state => states.push(state),
			log: () => {},
			random: () => 0,
			identity: async () => ({}),
		},
	);
	await runner.start();
	t.teardown(() => runner.shutdown());
	await eventually(() => looks.length === 5);
	const [first = 0, , , fourth = 0, fifth = 0] = looks;
	t.true(fifth - fourth >= 30 * 16 * 0.9 && fourth - first >= 30 * (2 + 4 + 8) * 0.9);
	t.deepEqual(states, [{source: 'host/x', target: '', state: 'failing', reason: 'a bug is no end'}]);
	fails = false;
	await eventually(() => states.some(({state}) => state === 'working'));
	await runner.shutdown();
	const after = looks.length;
	await new Promise(resolve => setTimeout(resolve, 100));
	t.is(looks.length, after, 'nothing is asked after the shutdown');
});

test('a shutdown before or during the start is safe', async t => {
	const parts = {
		consume: async () => [],
		measure: () => {},
		marks: {read: async () => undefined, write: async () => {}},
		onTarget: () => t.fail(),
		log: () => {},
		identity: async () => ({}),
	};
	const runner = createRunner({name: 'x', intervalMillis: 1000, look: async () => ({status: 'absent', reason: ''})}, parts);
	await runner.shutdown();
	await runner.start();
	await runner.shutdown();
	t.pass();
});

test('levels tell each change once, with one id however often it is told, and another one each time', t => {
	const states = fc.array(fc.constantFrom('ok' as const, 'failed' as const, 'degraded' as const), {maxLength: 20});
	fc.assert(
		fc.property(states, sequence => {
			let levels: Levels = {};
			let before = 'ok';
			const ids = new Set<string>();
			let changes = 0;
			for (const state of sequence) {
				const once = changesOf(levels, [finding({state})]);
				const again = changesOf(levels, [finding({state})]);
				if (digest(once.findings[0]?.identity ?? []) !== digest(again.findings[0]?.identity ?? [])) return false;
				if (once.findings.length > 0 !== (state !== before)) return false;
				for (const {identity} of once.findings) ids.add(digest(identity));
				changes += once.findings.length;
				before = state;
				levels = JSON.parse(JSON.stringify(once.levels));
			}
			return ids.size === changes;
		}),
		{numRuns: 200},
	);
	t.pass();
});

test('a part that failed, recovered and failed again within one look has failed', t => {
	const thin = createThinning();
	const corrected = finding({state: undefined, errorType: 'corrected'});
	const thinned = thin([finding(), finding(), corrected, finding({state: 'ok'}), corrected, finding()], 1000);
	t.deepEqual(
		thinned.map(({state, errorType, attributes}) => [state, errorType, attributes?.['callhome.host.repeated']]),
		[
			['failed', undefined, 2],
			[undefined, 'corrected', 2],
			['ok', undefined, undefined],
			['failed', undefined, undefined],
		],
	);
	t.deepEqual(thin([corrected], 2000), []);
	t.is(thin([corrected], 4_000_000)[0]?.attributes?.['callhome.host.repeated'], 2);
	t.is(thin([corrected], 10)[0]?.state, undefined, 'a clock that went back does not silence it');
});

test('an event has the time of its source when that can be true, and text that can be shown', t => {
	const now = Date.UTC(2026, 0, 1);
	const at = (occurredAt: number | undefined) => toEvent('host/x', finding({occurredAt}), {}, now).occurredAt;
	t.deepEqual([at(now - 5), at(now + 5), at(5), at(Number.NaN), at(undefined)], [now - 5, now, now, now, now]);
	const {message} = toEvent('host/x', finding({message: `a\u0000\u001b[31m\nb\ud800${'x'.repeat(5000)}`}), {}, now);
	t.true(message.startsWith('a [31m b\ufffd') && message.length === 1000);
});

test('the configuration switches sources on and off, and names what is wrong with its line', t => {
	const read = (host: string) => parseConfig(`exporter: {sandbox: {}}\nreceivers:\n  host: ${host}\n`, '.', {});
	t.is(read('false').config?.receivers.host, undefined);
	for (const all of ['true', '{}', '']) t.true(read(all).config?.receivers.host?.servicelog.enabled);
	t.like(read('{edac: false, smart: {interval: 1h}}').config?.receivers.host, {
		edac: {enabled: false},
		smart: {interval: 3_600_000},
	});
	const {faults} = read('{edac: {interval: 5}, ipmi: {remote: [{host: "-oops"}]}, nothing: {}}');
	t.deepEqual(faults.map(({line, path}) => `${line} ${path}`).toSorted(), [
		'3 receivers.host.edac.interval',
		'3 receivers.host.ipmi.remote[0].host',
		'3 receivers.host.nothing',
	]);
});
