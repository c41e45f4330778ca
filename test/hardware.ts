import test from 'ava';
import fc from 'fast-check';
import {hardwareTypes, partIn} from '../src/hardware.ts';

test('two names of one part are seen to be one', t => {
	for (const text of ['DIMM 8', 'DIMM_8', 'dimm8', 'Memory DIMM 08', 'DIMM#8']) {
		t.deepEqual(partIn(text), {type: 'memory', place: '8'}, text);
	}
	t.deepEqual(partIn('Drive 3'), partIn('Disk 3'));
	t.deepEqual(partIn('Power Supply 2'), partIn('PSU2'));
	t.deepEqual(partIn('Processor 1'), partIn('CPU 1'));
});

test('the kind of a part is that of the innermost', t => {
	t.deepEqual(partIn('CPU 0 DIMM 8'), {type: 'memory', place: '0/8'});
	t.deepEqual(partIn('CPU_SrcID#0_MC#0_Chan#1_DIMM#0'), {type: 'memory', place: '0/0/1/0'});
	t.is(partIn('P1-DIMMA1')?.type, 'memory');
	t.is(partIn('DIMM: no such')?.type, 'memory');
	t.is(partIn('Dimmer')?.type, undefined);
	t.is(partIn('Ambient Temp')?.type, 'temperature');
	t.is(partIn('CPU 1 Temp')?.type, 'temperature');
	t.is(partIn('SysBrd 3.3V')?.type, 'voltage');
	t.is(partIn('Fan 2A Tach')?.type, 'fan');
});

test('what names no part is none', t => {
	for (const text of ['', 'something', 'Login ID: USERID', '12345']) t.is(partIn(text), undefined, text);
});

test('any text names a part of a known kind, or none', t => {
	fc.assert(
		fc.property(fc.string({maxLength: 500}), text => {
			const part = partIn(text);
			return part === undefined || hardwareTypes.includes(part.type);
		}),
	);
	t.pass();
});
