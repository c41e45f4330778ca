import test from 'ava';
import fc from 'fast-check';
import {readEventId, sensorEvent} from '../src/sensor-codes.ts';

const eventOf = (id: string) => readEventId(id)?.event;

test('the event ids that IBM documents mean what IBM says', t => {
	t.like(eventOf('0x806F010C00000000'), {type: 'memory', state: 'failed', errorType: 'uncorrected'});
	t.like(eventOf('806F030C00000000'), {type: 'memory', state: 'failed', errorType: 'scrub_failed'});
	t.like(eventOf('806f050c-00000000'), {type: 'memory', state: 'predicted_failure', errorType: 'corrected_limit'});
});

test('drives, power supplies, processors and redundancy are told apart', t => {
	t.like(eventOf('806F010D0401FFFF'), {type: 'physical_disk', state: 'failed'});
	t.like(eventOf('806F020D0401FFFF'), {type: 'physical_disk', state: 'predicted_failure'});
	t.like(eventOf('806F01080A01FFFF'), {type: 'power_supply', state: 'failed'});
	t.like(eventOf('806F03080A01FFFF'), {type: 'power_supply', errorType: 'input_lost', verdict: 'serviceable'});
	t.like(eventOf('806F00070301FFFF'), {type: 'cpu', state: 'failed'});
	t.like(eventOf('800B01081301FFFF'), {type: 'power_supply', state: 'degraded', errorType: 'redundancy_lost'});
	t.like(eventOf('806F00050000FFFF'), {verdict: 'never'});
});

test('a deasserted fault is a recovery, and a deasserted presence is nothing', t => {
	t.like(eventOf('816F010D0401FFFF'), {type: 'physical_disk', state: 'ok'});
	t.like(eventOf('816F000D0401FFFF'), {state: 'information', verdict: 'never'});
	t.is(sensorEvent(1, 1, 9, true)?.state, 'ok');
	t.is(sensorEvent(8, 11, 0, true)?.state, 'degraded');
});

test('what the controller says of itself, and codes that no table has, are left undecided', t => {
	t.deepEqual(readEventId('4000000100000000'), {id: '4000000100000000', event: undefined});
	t.is(eventOf('806FFF0C00000000'), undefined);
	t.is(eventOf('80EE010C00000000'), undefined);
	t.is(readEventId('806F010C'), undefined);
	t.is(readEventId('PLAT0234'), undefined);
});

test('any text is an event id or none, and never throws', t => {
	fc.assert(
		fc.property(fc.oneof(fc.string(), fc.stringMatching(/^(0x)?[0-9a-fA-F]{8}-?[0-9a-fA-F]{8}$/)), text => {
			const read = readEventId(text);
			return read === undefined || /^[0-9A-F]{16}$/.test(read.id);
		}),
	);
	t.pass();
});
