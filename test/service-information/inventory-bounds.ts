import test from 'ava';
import fc from 'fast-check';
import type {Inventory, InventoryPart} from '../../src/inventory.ts';
import {bounded} from '../../src/service-information/inventory-bounds.ts';
import {inventory} from '../helpers/submissions.ts';

const part = (changes: Partial<InventoryPart> = {}): InventoryPart => ({type: 'memory', id: 'DIMM 8', ...changes});
const many = (count: number, changes: Partial<InventoryPart> = {}) =>
	Array.from({length: count}, (_, index) => part({id: String(index), ...changes}));
const bytesOf = (told: Inventory) => Buffer.byteLength(JSON.stringify(told));
const longest = 2 * 1024 ** 2;

test('an inventory beyond its limits is cut and says so', t => {
	const cut = bounded({...inventory, parts: many(6000)});
	t.is(cut.parts.length, 5000);
	t.true(cut.faults.includes('parts: 6000 found, the first 5000 are told'));
	const packages = Array.from({length: 19_000}, (_, index) => ({name: `package-${index}`, version: 'v'.repeat(200)}));
	const without = bounded({...inventory, packages});
	t.is(without.packages, undefined);
	t.true(without.faults.includes('packages: too long to be told, left out'));
	t.throws(() => bounded({...inventory, parts: [part({name: 'x'.repeat(3_000_000)})]}), {code: 'ERR_TOO_LARGE'});
});

test('texts of three bytes a character do not make a message that the backend refuses', t => {
	const packages = Array.from({length: 10_000}, (_, index) => ({name: `包${index}`, version: '版'.repeat(100)}));
	t.true(bytesOf(bounded({...inventory, packages})) < longest);
});

test('too many long parts do not cost all of the inventory', t => {
	const cut = bounded({
		...inventory,
		parts: many(5000, {name: 'n'.repeat(200), model: 'm'.repeat(200), vendor: 'v'.repeat(200)}),
	});
	t.true(cut.parts.length >= 1000);
	t.true(bytesOf(cut) < longest);
	t.true(cut.faults.some(fault => fault === `parts: 5000 found, the first ${cut.parts.length} are told: more would be too long`));
});

const faults = [
	'/redfish/v1/Systems/1: connect ECONNREFUSED 192.0.2.77:443',
	'send EHOSTUNREACH fd00::2',
	'https://u@[fd00::2]:443/redfish is silent',
	'02:fc:00:00:00:01 does not answer',
	'1.3.6.1.2.1.47.1.1.1.1: no answer within 2000 ms',
];

test('where the network is not told of, no fault and no part bears an address', t => {
	const parts = [
		part({id: '1', serialNumber: '02-FC-00-00-00-01', name: 'NIC 02:fc:00:00:00:01'}),
		part({id: '2', serialNumber: '31EA1D', version: '1.2.3.4', location: 'PCI 0000:00:01.0'}),
	];
	const told = bounded({...inventory, parts, faults});
	t.deepEqual(told.faults, [
		'/redfish/v1/Systems/1: connect ECONNREFUSED (address)',
		'send EHOSTUNREACH (address)',
		'https://u@[(address)]:443/redfish is silent',
		'(address) does not answer',
		'1.3.6.1.2.1.47.1.1.1.1: no answer within 2000 ms',
	]);
	t.deepEqual(told.parts, [part({id: '1', name: 'NIC (address)'}), parts[1]]);
	const network = [{name: 'eth0', addresses: []}];
	t.deepEqual(bounded({...inventory, parts, faults, network}).faults, faults);
});

test('whatever address stands in a fault, it does not leave', t => {
	fc.assert(
		fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({min: 1, max: 65_535}), (address, port) => {
			const texts = [`no route to ${address}`, `[${address}]:${port}: refused`, `${address}, that is all`];
			const told = bounded({...inventory, faults: texts}).faults.join('\n');
			t.false(told.includes(address), told);
		}),
	);
});
