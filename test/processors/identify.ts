import test from 'ava';
import fc from 'fast-check';
import {knownSystemSchema} from '../../src/processors/config.ts';
import {componentOf, createIdentify, faultKeyOf, problemIdOf, stormKeyOf, systemKeyOf} from '../../src/processors/identify.ts';
import {eventOf, levelOf} from '../helpers/decisions.ts';

const db02 = knownSystemSchema.parse({
	match: {'host.name': 'db02*'},
	machine_type: '9105',
	model: '22a',
	serial_number: '78abcde',
});
const identify = createIdentify([db02]);

test('the label on the resource names the machine', t => {
	t.deepEqual(identify(eventOf()), {name: 'db01', machineType: '8871', model: 'AC1', serialNumber: 'J1A2B3C'});
});

test('a machine without a label is found under systems', t => {
	const system = identify(eventOf({serial: undefined, host: 'db02.example'}));
	t.deepEqual(system, {name: 'db02.example', machineType: '9105', model: '22A', serialNumber: '78ABCDE'});
	t.is(identify(eventOf({serial: undefined, host: 'db03'})), undefined);
});

test('a label that is no label is not one to open a case with', t => {
	t.is(identify(eventOf({serial: 'Not Specified'})), undefined);
	t.is(identify(eventOf({resource: {'callhome.system.type': 'Default string'}})), undefined);
	t.is(identify(eventOf({serial: ' j1a2b3c '}))?.serialNumber, 'J1A2B3C');
});

test('a match without an attribute is refused: every machine would be taken for that one', t => {
	t.false(knownSystemSchema.safeParse({...db02, match: {}}).success);
});

const keyOf = (resource: Record<string, string | bigint | string[]>) => systemKeyOf(undefined, resource);

test('a restarted instance of an unknown machine is the same machine', t => {
	const resource = {'host.name': 'db01', 'service.instance.id': 'one'};
	t.is(keyOf(resource), keyOf({...resource, 'service.instance.id': 'other'}));
	t.not(keyOf({'service.instance.id': 'one'}), keyOf({'service.instance.id': 'other'}), 'unless nothing else names it');
});

test('machines behind a gateway that adds its own host.id are told apart', t => {
	t.not(keyOf({'host.name': 'db01', 'host.id': 'gateway'}), keyOf({'host.name': 'db02', 'host.id': 'gateway'}));
	t.not(keyOf({'host.name': 'x'}), keyOf({'host.id': 'x'}));
});

test('a resource that names nothing is told apart by all of it, also by big numbers and lists', t => {
	t.not(keyOf({rack: 2n ** 60n}), keyOf({rack: 2n ** 60n + 1n}));
	t.not(keyOf({rack: ['a']}), keyOf({rack: ['b']}));
	t.is(keyOf({a: '1', b: '2'}), keyOf({b: '2', a: '1'}));
});

const word = fc.constantFrom('', 'a', 'b', 'name', 'id', 'said', 'true');
const part = fc.record({id: word, type: word, name: word, place: word, test: fc.boolean(), serial: fc.constantFrom('S1', 'S2')});
type Part = typeof part extends fc.Arbitrary<infer Value> ? Value : never;

const toEvent = ({id, type, name, place, test: isTest, serial}: Part) =>
	eventOf({
		serial,
		attributes: {
			'hw.id': id,
			'hw.type': type,
			'hw.name': name,
			'hw.sensor_location': place,
			...(isTest ? {'callhome.test': 'true'} : {}),
		},
	});
const identityOf = ({id, type, name, place, test: isTest, serial}: Part) =>
	JSON.stringify([serial, type, isTest, id === '' ? [name, place] : id]);

test('two components never share a fault key, and one has one key', t => {
	t.notThrows(() =>
		fc.assert(
			fc.property(part, part, (one, other) => {
				const key = (value: Part) => faultKeyOf(toEvent(value), value.serial);
				return (key(one) === key(other)) === (identityOf(one) === identityOf(other));
			}),
			{numRuns: 2000},
		),
	);
});

test('a fault key, a storm key and a problem id differ for all words', t => {
	fc.assert(
		fc.property(word, word, (system, reason) => {
			const key = faultKeyOf(eventOf({attributes: {'hw.type': 'storm', 'hw.id': reason}}), system);
			return key !== stormKeyOf(system, reason);
		}),
	);
	const ids = Array.from({length: 5000}, (_, index) => problemIdOf(eventOf({uid: `u${index}`}), 'key'));
	t.is(new Set(ids).size, ids.length);
	t.regex(ids[0] ?? '', /^p[0-9a-f]{12}$/);
});

test('a level without a component has one key for its fault and its end', t => {
	const key = (value: number) => faultKeyOf({...levelOf('', 'failed', value), attributes: {'hw.state': 'failed'}}, 's');
	t.is(key(1), key(0));
});

test("attributes that are not the hardware's own name no component", t => {
	const attributes = {id: 'customer-4711', name: 'Jane Doe', type: 'visitor', 'hw.id': 'fan-1'};
	t.deepEqual(componentOf(eventOf({attributes})), {id: 'fan-1', type: '', name: ''});
});
