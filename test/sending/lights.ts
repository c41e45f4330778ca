import test from 'ava';
import fc from 'fast-check';
import {type LightRecords, lights, noteLights, readLights} from '../../src/sending/lights.ts';

function kept(initial?: string) {
	const settings = new Map<string, string>();
	const records: LightRecords = {
		readSetting: async name => settings.get(name) ?? initial,
		writeSetting: async (name, value) => void settings.set(name, value),
	};
	return records;
}

test('each light keeps its own time, for each destination', async t => {
	const records = kept();
	t.deepEqual(await readLights(records), {});
	await noteLights(records, 'ibm:443', ['reached', 'accepted'], 1);
	await noteLights(records, 'ibm:443', ['reached'], 2);
	await noteLights(records, 'ecurep:443', ['uploaded'], 3);
	await noteLights(records, 'nobody:443', [], 4);
	t.deepEqual(await readLights(records), {
		'ibm:443': {reached: 2, accepted: 1},
		'ecurep:443': {uploaded: 3},
	});
});

test('a sandbox with a new port at each start does not fill the store', async t => {
	const records = kept();
	await noteLights(records, 'ibm:443', ['reached'], 1000);
	for (let port = 0; port < 200; port++) await noteLights(records, `127.0.0.1:${port}`, ['reached'], port);
	const destinations = Object.keys(await readLights(records));
	t.is(destinations.length, 16);
	t.true(destinations.includes('ibm:443'), 'what was lit the longest ago goes first');
	t.true(destinations.includes('127.0.0.1:199'));
});

for (const text of ['', '{', 'null', '[]', '{"a":{"reached":"x"}}', '{"a":{"green":1}}', '{"__proto__":7}']) {
	test(`a damaged record of the lights (${text || 'empty'}) is as none, and is written anew`, async t => {
		const records = kept(text);
		t.deepEqual(await readLights(records), {});
		await noteLights(records, 'ibm:443', ['reached'], 1);
		t.deepEqual(await readLights(records), {'ibm:443': {reached: 1}});
	});
}

test('whatever the record holds, reading it gives lights or none', async t => {
	await fc.assert(
		fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async text => {
			for (const lit of Object.values(await readLights(kept(text)))) {
				for (const [name, at] of Object.entries(lit)) t.true(lights.some(light => light === name) && Number.isFinite(at));
			}
		}),
	);
	t.pass();
});
