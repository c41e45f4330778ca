import test from 'ava';
import fc from 'fast-check';
import {createHeartbeatWatch, type HeartbeatWatch} from '../../src/service-information/heartbeat-watch.ts';

const minute = 60_000;
const interval = 30 * minute;
const lastAnswer = 'last_success.heartbeat';
const noon = Date.UTC(2026, 10, 24, 12);

/** A store that outlives the bridge, a wall clock that anybody may set, and a bridge that starts at each `start`. */
function openWorld() {
	const settings = new Map<string, string>();
	const world = {
		clock: noon,
		uptime: 0,
		/** What was alarmed. */
		said: [] as string[],
		settings,
		answer: () => settings.set(lastAnswer, String(world.clock)),
		start(): HeartbeatWatch {
			world.uptime = 0;
			return createHeartbeatWatch({
				intervalMillis: interval,
				lastAnswer,
				write: change =>
					change({
						readSetting: async name => settings.get(name),
						writeSetting: async (name, value) => void settings.set(name, value),
					}),
				onChange: overdue => void world.said.push(overdue ? 'overdue' : 'answered'),
				now: () => world.clock,
				uptime: () => world.uptime,
			});
		},
		/** Minutes pass, with a look after each. */
		async run(watch: HeartbeatWatch, minutes: number) {
			for (let passed = 0; passed < minutes; passed++) {
				await watch.look();
				world.clock += minute;
				world.uptime += minute;
			}
			await watch.look();
		},
	};
	return world;
}

test('no answer for three intervals is one alarm, and the next answer is its end', async t => {
	const world = openWorld();
	const watch = world.start();
	world.answer();
	await world.run(watch, 89);
	t.deepEqual(world.said, []);
	t.false(watch.isOverdue());
	await world.run(watch, 300);
	t.deepEqual(world.said, ['overdue']);
	t.true(watch.isOverdue());
	world.answer();
	await world.run(watch, 1);
	t.deepEqual(world.said, ['overdue', 'answered']);
	t.false(watch.isOverdue());
});

test('a bridge that never got an answer is up for three intervals before it alarms', async t => {
	const world = openWorld();
	const watch = world.start();
	await world.run(watch, 89);
	t.deepEqual(world.said, []);
	await world.run(watch, 1);
	t.deepEqual(world.said, ['overdue']);
});

test('a start after a week is no alarm, and one interval without an answer is', async t => {
	const world = openWorld();
	world.answer();
	world.clock += 7 * 24 * 60 * minute;
	const watch = world.start();
	await world.run(watch, 29);
	t.deepEqual(world.said, []);
	await world.run(watch, 1);
	t.deepEqual(world.said, ['overdue']);
});

test('a start after a week, and an answer: the patience is three intervals again', async t => {
	const world = openWorld();
	world.answer();
	world.clock += 7 * 24 * 60 * minute;
	const watch = world.start();
	await world.run(watch, 1);
	world.answer();
	await world.run(watch, 89);
	t.deepEqual(world.said, []);
});

test('a bridge that dies every 20 minutes hides no silence', async t => {
	const world = openWorld();
	world.answer();
	for (let life = 0; life < 5; life++) await world.run(world.start(), 20);
	t.deepEqual(world.said, ['overdue']);
});

test('a restart during the alarm repeats no event, shows it at once, and ends it with the next answer', async t => {
	const world = openWorld();
	await world.run(world.start(), 100);
	const again = world.start();
	await again.look();
	t.true(again.isOverdue());
	await world.run(again, 10);
	t.deepEqual(world.said, ['overdue']);
	world.answer();
	await world.run(again, 1);
	t.deepEqual(world.said, ['overdue', 'answered']);
});

test('time that the bridge was down is no silence, and the first heartbeat may be answered', async t => {
	const world = openWorld();
	world.answer();
	await world.run(world.start(), 85);
	world.clock += 3 * 24 * 60 * minute;
	const watch = world.start();
	await watch.look();
	world.answer();
	await world.run(watch, 80);
	t.deepEqual(world.said, []);
});

for (const jump of [-365, 365]) {
	test(`a clock that jumps ${jump} days neither raises the alarm nor holds it`, async t => {
		const world = openWorld();
		const watch = world.start();
		world.answer();
		await world.run(watch, 10);
		world.clock += jump * 24 * 60 * minute;
		await world.run(watch, 79);
		t.deepEqual(world.said, []);
		await world.run(watch, 2);
		t.deepEqual(world.said, ['overdue']);
		world.answer();
		await world.run(watch, 1);
		t.deepEqual(world.said, ['overdue', 'answered']);
	});
}

test('a look that could not be written is counted by the next one', async t => {
	const world = openWorld();
	let isFull = false;
	const watch = createHeartbeatWatch({
		intervalMillis: interval,
		lastAnswer,
		write: change => {
			if (isFull) throw new Error('the disk is full');
			return change({
				readSetting: async name => world.settings.get(name),
				writeSetting: async (name, value) => void world.settings.set(name, value),
			});
		},
		onChange: overdue => void world.said.push(String(overdue)),
		uptime: () => world.uptime,
	});
	await watch.look();
	isFull = true;
	world.uptime = 80 * minute;
	await t.throwsAsync(watch.look());
	isFull = false;
	world.uptime = 91 * minute;
	await watch.look();
	t.deepEqual(world.said, ['true']);
});

for (const text of ['', '{', '{"unanswered":"x"}', '{"unanswered":-1,"overdue":true}']) {
	test(`a damaged state (${text || 'empty'}) counts anew`, async t => {
		const world = openWorld();
		world.settings.set('heartbeat.watch', text);
		await world.run(world.start(), 91);
		t.deepEqual(world.said, ['overdue']);
	});
}

const anyStep = fc.oneof(
	fc.record({kind: fc.constant('run' as const), minutes: fc.integer({min: 1, max: 40})}),
	fc.record({kind: fc.constant('answer' as const), minutes: fc.constant(0)}),
	fc.record({kind: fc.constant('jump' as const), minutes: fc.integer({min: -100_000, max: 100_000})}),
	fc.record({kind: fc.constant('restart' as const), minutes: fc.integer({min: 0, max: 10_000})}),
);

test('whatever happens, beginnings and ends alternate, and an answer ends every alarm', async t => {
	await fc.assert(
		fc.asyncProperty(fc.array(anyStep, {maxLength: 30}), async steps => {
			const world = openWorld();
			let watch = world.start();
			for (const {kind, minutes} of steps) {
				if (kind === 'run') await world.run(watch, minutes);
				if (kind === 'answer') world.answer();
				if (kind === 'jump') world.clock += minutes * minute;
				if (kind !== 'restart') continue;
				world.clock += minutes * minute;
				watch = world.start();
			}
			t.true(world.said.every((word, index) => word === (index % 2 === 0 ? 'overdue' : 'answered')));
			world.clock += 1; // No two answers in one millisecond.
			world.answer();
			await watch.look();
			t.false(watch.isOverdue());
		}),
		{numRuns: 200},
	);
	t.pass();
});
