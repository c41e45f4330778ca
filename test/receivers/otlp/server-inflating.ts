import {randomBytes} from 'node:crypto';
import {constants, gzipSync, zstdCompressSync} from 'node:zlib';
import test from 'ava';
import {bodyOf, post, startIntake} from '../../helpers/otlp-intake.ts';

const codings = {gzip: gzipSync, zstd: zstdCompressSync} as const;
const padding = (bytes: number) => `${randomBytes(bytes / 2).toString('hex')}`;

for (const [coding, compress] of Object.entries(codings)) {
	const headers = {'content-encoding': coding};

	test(`${coding}: a small body`, async t => {
		const {url, consumed} = await startIntake(t);
		t.is((await post(url, {headers, body: compress(bodyOf({selected: ['a']}))})).statusCode, 200);
		t.deepEqual(consumed, ['a']);
	});

	test(`${coding}: a large body, and many of them at once`, async t => {
		const {url, consumed} = await startIntake(t);
		const body = compress(bodyOf({selected: [padding(1_000_000)]}));
		t.true(body.length > 64 * 1024);
		const replies = await Promise.all(Array.from({length: 8}, () => post(url, {headers, body})));
		t.true(replies.every(({statusCode}) => statusCode === 200));
		t.is(consumed.length, 8);
	});

	test(`${coding}: a small body that becomes a large one`, async t => {
		const {url, consumed} = await startIntake(t);
		const body = compress(bodyOf({selected: ['x'.repeat(3_000_000)]}));
		t.true(body.length < 64 * 1024);
		t.is((await post(url, {headers, body})).statusCode, 200);
		t.is(consumed[0]?.length, 3_000_000);
	});

	test(`${coding}: several members one after the other are one body`, async t => {
		const {url, consumed} = await startIntake(t);
		const text = bodyOf({selected: ['a', 'b']});
		const parts = [text.subarray(0, 5), Buffer.alloc(0), text.subarray(5)].map(part => compress(part));
		t.is((await post(url, {headers, body: Buffer.concat(parts)})).statusCode, 200);
		t.deepEqual(consumed, ['a', 'b']);
	});

	test(`${coding}: nothing, and compressed nothing, are the empty request`, async t => {
		const {url} = await startIntake(t);
		t.is((await post(url, {headers})).statusCode, 200);
		t.is((await post(url, {headers, body: compress(Buffer.alloc(0))})).statusCode, 200);
	});

	test(`${coding}: 400 for a truncated, a damaged and an uncompressed body, and for one with something behind it`, async t => {
		const {url, consumed} = await startIntake(t);
		const text = bodyOf({selected: ['a']});
		const whole = compress(text);
		const damaged = Buffer.from(whole);
		damaged[0] = 0;
		for (const body of [whole.subarray(0, -1), whole.subarray(0, 3), damaged, text, Buffer.concat([whole, text])]) {
			const reply = await post(url, {headers, body});
			t.is(reply.statusCode, 400);
			t.is(JSON.parse(reply.body.toString()).code, 3);
		}
		t.deepEqual(consumed, []);
	});

	test(`${coding}: a body of exactly the limit is read, one byte more is 413`, async t => {
		const body = bodyOf({selected: ['a']});
		const {url} = await startIntake(t, {max_inflated_size: body.length});
		t.is((await post(url, {headers, body: compress(body)})).statusCode, 200);
		t.is((await post(url, {headers, body: compress(Buffer.concat([body, Buffer.from(' ')]))})).statusCode, 413);
		t.is((await post(url, {headers, body: Buffer.concat([compress(body), compress(Buffer.from(' '))])})).statusCode, 413);
	});
}

test('a body that is not compressed keeps to max_inflated_size too', async t => {
	const {url} = await startIntake(t, {max_inflated_size: 10});
	t.is((await post(url, {body: ' '.repeat(11)})).statusCode, 413);
});

test.serial('bombs are 413, and forty of them at once do not fill the memory', async t => {
	const {url, consumed} = await startIntake(t, {max_inflated_size: '8MiB'});
	const zeros = Buffer.alloc(100 * 1024 * 1024);
	const bombs = {gzip: gzipSync(zeros), zstd: zstdCompressSync(zeros)};
	const attack = (times: number) =>
		Promise.all(
			Array.from({length: times}, () => Object.entries(bombs)).flatMap(entries =>
				entries.map(([coding, body]) => post(url, {headers: {'content-encoding': coding}, body})),
			),
		);
	await attack(2); // What is loaded at the first use is not what grows.
	const before = process.memoryUsage().rss;
	let highest = before;
	const timer = setInterval(() => {
		highest = Math.max(highest, process.memoryUsage().rss);
	}, 5);
	t.teardown(() => clearInterval(timer));
	const replies = await attack(20);
	t.deepEqual([...new Set(replies.map(({statusCode}) => statusCode))], [413]);
	t.log(`grew by ${Math.round((highest - before) / 1024 / 1024)} MiB`);
	t.true(highest - before < 100 * 1024 * 1024);
	t.deepEqual(consumed, []);
});

test('a zstd frame that asks for a window of more than 8 MiB is 400', async t => {
	const {url} = await startIntake(t);
	const body = zstdCompressSync(Buffer.alloc(20 * 1024 * 1024), {params: {[constants.ZSTD_c_windowLog]: 27}});
	t.is((await post(url, {headers: {'content-encoding': 'zstd'}, body})).statusCode, 400);
});

test('thousands of empty zstd frames are 400', async t => {
	const {url} = await startIntake(t);
	const body = Buffer.concat(Array.from({length: 5000}, () => zstdCompressSync(Buffer.alloc(0))));
	t.is((await post(url, {headers: {'content-encoding': 'zstd'}, body})).statusCode, 400);
});

test('Content-Encoding is read without regard to capitals', async t => {
	const {url, consumed} = await startIntake(t);
	const body = gzipSync(bodyOf({selected: ['a']}));
	t.is((await post(url, {headers: {'content-encoding': 'GZIP'}, body})).statusCode, 200);
	t.is((await post(url, {headers: {'content-encoding': 'identity'}, body: bodyOf({selected: ['b']})})).statusCode, 200);
	t.deepEqual(consumed, ['a', 'b']);
});
