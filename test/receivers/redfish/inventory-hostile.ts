import type {RequestListener, ServerResponse} from 'node:http';
import {setTimeout as pause} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {isBridgeError} from '../../../src/errors.ts';
import type {Collected, InventorySection} from '../../../src/inventory.ts';
import {redfishReceiverSchema} from '../../../src/receivers/redfish/config.ts';
import {createRedfishInventories} from '../../../src/receivers/redfish/inventory.ts';
import {machinesIn} from '../../../src/receivers/redfish/inventory-machines.ts';
import {inventoryLimits} from '../../../src/receivers/redfish/inventory-reader.ts';
import {listen} from '../../helpers/listen.ts';
import {collectionOf, wholeMachine} from '../../helpers/redfish-machine.ts';
import {at} from '../../helpers/redfish-service.ts';
import {createSessions} from '../../helpers/redfish-sessions.ts';
import {watchSource} from '../../helpers/sources.ts';

const sections: ReadonlySet<InventorySection> = new Set(['hardware', 'firmware', 'network'] as const);
type Pages = Record<string, unknown>;
type Answer = (path: string, response: ServerResponse) => boolean;

/** A module on plain HTTP, which answers as `odd` wills where that answers true. */
async function setUp(t: ExecutionContext, pages: Pages = wholeMachine(), odd: Answer = () => false) {
	const asked: string[] = [];
	const sessions = createSessions();
	const listener: RequestListener = ({url: path = ''}, response) => {
		asked.push(path);
		if (odd(path, response)) return;
		const page = pages[path];
		response.writeHead(page === undefined ? 404 : 200).end(JSON.stringify(page ?? {}));
	};
	const url = await listen(t, sessions.before(listener));
	const watched = watchSource();
	const collect = async (limits = {}, settings = {}) => {
		const systems = [{url: url.origin, username: 'u', password: 'hidden-word'}];
		const config = redfishReceiverSchema.parse({systems, timeout: '500ms', ...settings});
		const [source] = createRedfishInventories(config, watched.parts, {...inventoryLimits, ...limits});
		return (await source?.collect(sections, new AbortController().signal)) ?? [];
	};
	return {asked, sessions, pages, collect, url};
}

const names = ([first]: readonly Collected[]) => first?.inventory.parts.map(({name}) => name) ?? [];
const faults = ([first]: readonly Collected[]) => first?.inventory.faults ?? [];

/** How a module may fail to show one of its parts, and what is said of it. */
const failures: Record<string, readonly [Answer, RegExp]> = {
	'503': [(_, response) => !!response.writeHead(503).end(), /dimm2 \(503\)$/],
	'403': [(_, response) => !!response.writeHead(403).end(), /dimm2 \(403\)$/],
	'a redirect elsewhere': [(_, response) => !!response.writeHead(301, {location: 'http://192.0.2.1/'}).end(), /dimm2 \(301\)$/],
	'what is no JSON': [(_, response) => !!response.end('<html>'), /dimm2: .* is no JSON/],
	'a list for an object': [(_, response) => !!response.end('[]'), /dimm2: .* is no JSON object/],
	'half an answer': [
		(_, response) => {
			response.writeHead(200, {'content-length': '1000'}).write('{"Name":');
			setImmediate(() => response.destroy());
			return true;
		},
		/dimm2: \S/,
	],
	'no answer': [() => true, /dimm2: .*(timeout|aborted)/i],
	'too large an answer': [(_, response) => !!response.end(`{"Name": "${'x'.repeat(200_000)}"}`), /dimm2: .*max_response_size/],
};

for (const [what, [odd, fault]] of Object.entries(failures))
	test(`${what} for one part costs that part, is one fault, and the rest is told`, async t => {
		const {collect, sessions} = await setUp(
			t,
			wholeMachine(),
			(path, response) => path.endsWith('/dimm2') && odd(path, response),
		);
		const collected = await collect({}, {max_response_size: '100KiB'});
		t.is(faults(collected).length, 1);
		t.regex(faults(collected)[0] ?? '', fault);
		t.is(names(collected).length, 15);
		t.false(names(collected).includes('DIMM 2'));
		t.is(sessions.open.size, 0);
	});

test('a module that falls silent is not asked for the rest', async t => {
	const {collect, asked} = await setUp(t, wholeMachine(), path => path.includes('/Memory'));
	const before = performance.now();
	const collected = await collect();
	t.is(faults(collected).length, 1); // The collection of the memory is one request.
	t.true(names(collected).includes('Fan 0'));
	const {collect: collectDead, asked: askedOfDead} = await setUp(
		t,
		wholeMachine(),
		path => path !== '/redfish/v1/' && !path.endsWith('/Systems') && !path.endsWith('/Systems/1'),
	);
	const rest = await collectDead().catch(error => error);
	t.true(askedOfDead.length < asked.length / 2);
	t.regex(JSON.stringify(rest), /does not answer any more/);
	t.true(performance.now() - before < 20_000);
});

test('references that go in circles, lead elsewhere or are no references end where they are', async t => {
	const other = await setUp(t);
	const evil = `${other.url.origin}/redfish/v1/Systems/1/Memory/dimm2`;
	const pages: Pages = wholeMachine();
	const list = '/redfish/v1/Systems/1/Memory';
	pages[list] = {
		Members: [
			at(list),
			at('/redfish/v1/Systems'),
			at(evil),
			at('//192.0.2.1/x'),
			at(`${list}/dimm10`),
			at(`${list}/dimm10`),
			7,
			null,
			[],
			{},
		],
		'Members@odata.nextLink': `${list}/`,
	};
	pages[`${list}/`] = {Members: [at(`${list}/dimm10/`)], 'Members@odata.nextLink': list};
	const {collect, asked} = await setUp(t, pages);
	const collected = await collect();
	t.is(names(collected).filter(name => name === 'DIMM 10').length, 1);
	t.is(other.asked.length, 0);
	t.is(faults(collected).filter(text => text.includes('leads to another host')).length, 2);
	t.deepEqual(
		asked.filter((path, index) => asked.indexOf(path) < index && path !== '/redfish/v1/'),
		[],
	);
});

const crowded = (count: number): Pages => {
	const members = Object.fromEntries(Array.from({length: count}, (_, index) => [index, {Name: `DIMM ${index}`}]));
	return {...wholeMachine(), ...collectionOf('/redfish/v1/Systems/1/Memory', members)};
};

test('huge collections end at the limits, and what was read until then is told', async t => {
	const {collect} = await setUp(t, crowded(700));
	const many = await collect();
	t.is(names(many).filter(name => name?.startsWith('DIMM')).length, 500);
	t.deepEqual(faults(many), ['/redfish/v1/Systems/1/Memory#/Members: 700 members, the first 500 are read']);
	t.true(names(many).includes('Fan 0'));
	const few = await collect({mostResources: 50});
	t.true(names(few).length < 50 && names(few).includes('DIMM 7'));
	t.deepEqual(
		faults(few).filter(text => text.includes('not everything')),
		['not everything was read: it has more than 50 resources'],
	);
	const short = await collect({mostBytes: 60_000});
	t.regex(faults(short).join(), /not everything was read: one look read more than 60000 bytes/);
	t.true(names(short).includes('DIMM 7'));
	const asked = await collect({}, {max_requests: 60});
	t.regex(faults(asked).join(), /not everything was read: one look took more than max_requests \(60\)/);
});

test('pages without an end are read to the limit', async t => {
	const list = '/redfish/v1/Systems/1/Memory';
	const {collect, asked} = await setUp(t, wholeMachine(), (path, response) => {
		if (!path.startsWith(list)) return false;
		const page = Number(path.split('page=')[1] ?? 0);
		const member = {...at(`${list}/m${page}`), Name: `DIMM ${page}`};
		response.end(JSON.stringify({Members: [member], 'Members@odata.nextLink': `${list}?page=${page + 1}`}));
		return true;
	});
	t.is(names(await collect({mostMembers: 40})).filter(name => name?.startsWith('DIMM')).length, 40);
	t.true(asked.length < 100);
});

test('a slow module is read for as long as the limit says, and told as far as it was read', async t => {
	const {collect, sessions} = await setUp(t, wholeMachine(), (path, response) => {
		if (!path.includes('/Memory/')) return false;
		pause(400).then(() => response.end(JSON.stringify({...at(path), Name: path.split('/').at(-1)})));
		return true;
	});
	const collected = await collect({mostMillis: 600});
	t.true(names(collected).includes('CPU 0'));
	t.false(names(collected).includes('Fan 0'));
	t.deepEqual(faults(collected), ['not everything was read: it took more than 0.6 s']);
	t.is(sessions.open.size, 0);
});

test('texts are cut, their control characters taken out, and values of a wrong kind left out', async t => {
	const pages: Pages = wholeMachine();
	pages['/redfish/v1/Systems/1/Memory/dimm2'] = {
		...at('/redfish/v1/Systems/1/Memory/dimm2'),
		Name: `\u001b[31mDIMM\u202e\r\n2${'x'.repeat(5000)}`,
		PartNumber: 17,
		SerialNumber: {toString: 'x'},
		CapacityMiB: '32768',
		OperatingSpeedMhz: -1,
		Manufacturer: 'To be filled by O.E.M.',
		Location: 'here',
	};
	const {collect} = await setUp(t, pages);
	const [machine] = await collect();
	const part = machine?.inventory.parts.find(({id}) => id.endsWith('/dimm2'));
	t.deepEqual(Object.keys(part ?? {}).toSorted(), ['id', 'name', 'type']);
	t.regex(part?.name ?? '', /^\[31mDIMM 2x{180,}$/);
	t.is(part?.name?.length, 200);
});

const json = fc.jsonValue({maxDepth: 3});
const paths = Object.keys(wholeMachine());
const links = fc.constantFrom(...paths, '/redfish/v1/Systems/1', 'http://127.0.0.2:1/', '//x', '').map(at);
const keys = [
	...['@odata.id', 'Id', 'Name', 'Members', 'Members@odata.nextLink', 'Status', 'Links', 'Location', 'Slot', 'Controllers'],
	...['Processors', 'Memory', 'Storage', 'Drives', 'StorageControllers', 'PCIeDevices', 'EthernetInterfaces', 'RelatedItem'],
	...['Thermal', 'Power', 'PowerSubsystem', 'ThermalSubsystem', 'Fans', 'PowerSupplies', 'NetworkAdapters', 'FirmwareInventory'],
	...['SerialNumber', 'CapacityBytes', 'CapacityMiB', 'Version', 'UUID', 'IPv4Addresses', '__proto__', 'constructor'],
];
const resource = fc.dictionary(fc.constantFrom(...keys), fc.oneof(links, fc.array(fc.oneof(links, json), {maxLength: 4}), json));
const odd = fc.dictionary(fc.constantFrom('/redfish/v1/', ...paths), fc.oneof({weight: 4, arbitrary: resource}, json), {
	maxKeys: 8,
});

test('whatever a module answers, it is told within limits or refused with a code', async t => {
	const pages: Pages = {};
	const {collect, asked} = await setUp(t, pages);
	await fc.assert(
		fc.asyncProperty(odd, async changes => {
			for (const path of Object.keys(pages)) delete pages[path];
			Object.assign(pages, wholeMachine(), changes);
			asked.length = 0;
			const collected = await collect({mostResources: 60}).catch(error => {
				if (!isBridgeError(error)) throw error;
				return [];
			});
			if (asked.length > 65) throw new Error(`${asked.length} requests`);
			for (const {inventory} of collected) {
				const ids = inventory.parts.map(({type, id}) => `${type} ${id}`);
				if (new Set(ids).size < ids.length) throw new Error(`an id twice: ${ids.join()}`);
				for (const text of textsIn(inventory))
					if (text.length > 600 || /\p{Cc}/u.test(text)) throw new Error(`not to be told: ${JSON.stringify(text)}`);
			}
		}),
		{numRuns: 200},
	);
	t.pass();
});

function textsIn(value: unknown): string[] {
	if (typeof value === 'string') return [value];
	return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

test('resources in any order give the same document', t => {
	const [target] = redfishReceiverSchema.parse({systems: [{url: 'https://bmc.example', username: 'u', password: 'p'}]}).systems;
	if (!target) throw new Error('no target');
	const found = Object.entries(wholeMachine()).map(([path, page]) => ({kind: 'memory', resource: page, path, of: []}) as const);
	const asked = {target, sections, faults: [], collectedAt: 0};
	const toldOf = (order: typeof found) =>
		machinesIn({systems: [{Model: 'x', Id: '1'}], chassis: [], found: order, interfaces: []}, asked);
	const whole = toldOf(found);
	fc.assert(
		fc.property(fc.shuffledSubarray(found, {minLength: found.length}), shuffled => {
			t.deepEqual(toldOf(shuffled), whole);
		}),
		{numRuns: 50},
	);
});
