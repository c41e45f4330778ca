import {hostname} from 'node:os';
import type {Attributes} from '../../event.ts';
import {clean, without} from './alert.ts';
import type {Roots} from './config.ts';
import {readText} from './tree.ts';

type Label = {readonly type?: string | undefined; readonly model?: string | undefined; readonly serial?: string | undefined};

/** `System x3650 M5: -[8871AC1]-`: the machine type, and the model of three characters or of a region. */
export function labelInDmi(texts: readonly (string | undefined)[], serial: string | undefined): Label {
	for (const text of texts) {
		const match = /-\[([0-9A-Z]{4})([0-9A-Z]{1,8})\]-/i.exec(text ?? '');
		if (match) return {type: match[1], model: match[2], serial};
	}
	return {};
}

/** `IBM,9009-22A` and `IBM,0278ABCDE`: of the latter libservicelog skips six characters, too. */
export function labelInDeviceTree(model: string | undefined, systemId: string | undefined): Label {
	const match = /^IBM,([0-9A-Z]{4})-([0-9A-Z]{1,8})$/i.exec(model ?? '');
	const serial = /^IBM,\d\d([0-9A-Z-]{1,32})$/i.exec(systemId ?? '')?.[1];
	return match ? {type: match[1], model: match[2], serial} : {};
}

/** What tells this machine from others, as far as it may be read: the serial number in DMI is for root alone. */
export async function readIdentity(roots: Roots, name = hostname()): Promise<Attributes> {
	const dmi = (field: string) => readText(roots.sys, 'class/dmi/id', field);
	const tree = (field: string) => readText(roots.proc, 'device-tree', field);
	const inTree = labelInDeviceTree(await tree('model'), await tree('system-id'));
	const inDmi = labelInDmi([await dmi('product_name'), await dmi('product_version')], await dmi('product_serial'));
	const {type, model, serial} = inTree.type === undefined ? inDmi : inTree;
	return without({
		'host.name': clean(name, 255),
		'host.id': clean((await readText(roots.machine_id)) ?? '', 64),
		'callhome.system.type': type?.toUpperCase(),
		'callhome.system.model': model?.toUpperCase(),
		'callhome.system.serial_number': serial === undefined ? undefined : clean(serial, 32).toUpperCase(),
	});
}
