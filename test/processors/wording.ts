import test from 'ava';
import type {Problem} from '../../src/problem.ts';
import {decide} from '../../src/processors/decide.ts';
import {contentOf, explainHold, stormNoteOf, titleOf} from '../../src/processors/wording.ts';
import {countOf, eventOf, failed, levelOf, noon, policyOf} from '../helpers/decisions.ts';

const system = {name: 'db01', machineType: '8871', model: 'AC1', serialNumber: 'J1A2B3C'};

function problemOf(event: ReturnType<typeof eventOf>): Problem & {system: typeof system} {
	const {problem} = decide(
		{
			event,
			now: noon,
			system,
			systemKey: 's',
			faultKey: 'f',
			state: 'failed',
			verdict: {verdict: 'call_home', repeat: 1},
			problem: undefined,
			clears: false,
			lasts: false,
			storm: undefined,
			stormKey: 'st',
			twin: undefined,
			placeKeys: [],
			momentKeys: [],
			repetitions: 1,
			recentProblems: 0,
			problemId: 'p1',
		},
		policyOf(),
	);
	if (!problem) throw new Error('no problem');
	return {...problem, system};
}

test('nothing of an event leaves but its words, what the hardware conventions name, and the error type', t => {
	const secret = 'hunter2-6f1c';
	const event = failed('drive-3', {
		attributes: {
			'error.type': 'crc',
			'hw.serial_number': 'K118',
			'http.request.header.authorization': secret,
			'process.command_args': ['--password', secret],
			'db.connection_string': secret,
			id: secret,
			name: secret,
			type: secret,
			state: secret,
			'hwx.secret': secret,
			nested: {password: secret},
		},
		resource: {'service.token': secret, 'process.command_line': secret},
		message: '',
	});
	const content = JSON.stringify(contentOf(problemOf(event), event, noon));
	t.false(content.includes(secret), content);
	t.true(content.includes('K118'));
	t.true(content.includes('error.type: crc'));
});

test('big integers, lists and maps under hw.* are printed, and do not break the submission', t => {
	const event = failed('d', {attributes: {'hw.a': 2n ** 60n, 'hw.b': [1n, 'x'], 'hw.c': {deep: 2n}, 'hw.d': null}});
	const {note} = contentOf(problemOf(event), event, noon).problem ?? {};
	t.regex(note ?? '', /hw\.a: 1152921504606846976\nhw\.b: \["1","x"\]\nhw\.c: \{"deep":"2"\}\nhw\.d: null/);
});

test('texts are cut between characters', t => {
	const event = eventOf({message: 'x'.repeat(199) + '😀'.repeat(5000)});
	const content = contentOf(problemOf(event), event, noon);
	t.true(content.problem?.title.isWellFormed());
	t.true(content.problem?.note.isWellFormed());
	t.true((content.problem?.note.length ?? 0) <= 8000);
});

test('a title is what the producer said, or the part and its state', t => {
	t.is(titleOf(eventOf({message: '  two\n lines '})), 'two lines');
	t.is(titleOf(levelOf('psu-1', 'predicted_failure', 1)), 'physical_disk psu-1: predicted failure');
	t.is(titleOf(countOf('dimm-1', 'uncorrected', 3)), 'memory dimm-1: errors are growing');
	t.is(titleOf(eventOf({message: '', attributes: {}})), 'hardware: fault');
});

test('the hint for an unknown system names what names the machine, and nothing else', t => {
	const hint = (resource: Record<string, string>) => explainHold('unknown_system', {...eventOf({serial: undefined}), resource});
	t.regex(hint({'host.arch': 'amd64', 'host.name': 'db01'}), /match: \{host\.name: "db01"\}/);
	t.regex(hint({'process.command_line': 'x --password=hunter2'}), /match: \{host\.name: \.\.\.\}/);
});

test('a storm is told fault by fault, the most frequent first', t => {
	const events = [failed('a'), failed('b'), failed('b')];
	t.is(stormNoteOf(events), '2 different events of one system:\n2 x b has failed\n1 x a has failed');
});
