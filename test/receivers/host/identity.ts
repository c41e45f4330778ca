import test from 'ava';
import {readIdentity} from '../../../src/receivers/host/identity.ts';
import {configOf, hostStage, plant} from '../../helpers/host.ts';

const identify = async (t: Parameters<typeof hostStage>[0], files: Record<string, string>) => {
	const {directory} = await hostStage(t);
	await plant(directory, files);
	return readIdentity(configOf(directory, {}).roots, 'db01.example');
};

test('the label is read from DMI where IBM and Lenovo write it', async t => {
	const found = await identify(t, {
		'sys/class/dmi/id/product_name': 'System x3650 M5: -[8871AC1]-',
		'sys/class/dmi/id/product_serial': 'J1A2B3C',
	});
	t.deepEqual(found, {
		'host.name': 'db01.example',
		'host.id': '0123456789abcdef0123456789abcdef',
		'callhome.system.type': '8871',
		'callhome.system.model': 'AC1',
		'callhome.system.serial_number': 'J1A2B3C',
	});
});

test('on Power it is in the device tree, with a prefix and an end that are no part of it', async t => {
	const found = await identify(t, {
		'proc/device-tree/model': 'IBM,9009-22A\0',
		'proc/device-tree/system-id': 'IBM,0278ABCDE\0',
	});
	t.like(found, {'callhome.system.type': '9009', 'callhome.system.model': '22A', 'callhome.system.serial_number': '78ABCDE'});
});

test('another make, a placeholder and a serial number that may not be read are left out', async t => {
	const other = await identify(t, {'sys/class/dmi/id/product_name': 'PowerThing R1', 'sys/class/dmi/id/product_serial': 'X'});
	t.deepEqual(Object.keys(other), ['host.name', 'host.id']);
	const unread = await identify(t, {'sys/class/dmi/id/product_version': 'ThinkSystem SR650 -[7X06CTO1WW]-'});
	t.deepEqual(unread['callhome.system.type'], '7X06');
	t.false('callhome.system.serial_number' in unread);
});
