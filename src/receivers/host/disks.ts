import {readlink} from 'node:fs/promises';
import {clean, type NamedPart, slugOf} from './alert.ts';
import type {Roots} from './config.ts';
import {list, readText} from './tree.ts';

/**
A disk by its serial number, so that the kernel, smartctl and nvme mean the same one, and another disk in its place is another
part; by its device where the number is not known.
*/
export const diskPart = (device: string, serial: string | undefined, model = ''): NamedPart => {
	const name = clean([model, `/dev/${device}`].filter(text => text !== '').join(' '), 120);
	return {type: 'physical_disk', id: `physical_disk/${slugOf(serial ?? '') || slugOf(device) || 'unknown'}`, name};
};

/** `sda1` is a part of `sda`, `nvme0n1p2` a part of `nvme0`. */
export function wholeDisk(device: string): string {
	const nvme = /^(nvme\d+)(c\d+)?(n\d+)?(p\d+)?$/.exec(device);
	if (nvme) return nvme[1] ?? device;
	return /^([hsv]d[a-z]+)\d*$/.exec(device)?.[1] ?? device;
}

/** The part behind a device that the kernel names: `sda1`, `nvme0`, or `ata3` for what hangs on a port. */
export async function diskOf(roots: Roots, name: string): Promise<NamedPart> {
	const port = /^ata\d+$/.exec(name)?.[0];
	const device = port === undefined ? wholeDisk(clean(name, 60)) : ((await diskOnPort(roots, port)) ?? port);
	if (!/^[a-z][a-z0-9]{0,31}$/.test(device)) return diskPart(device, undefined);
	if (device.startsWith('nvme')) {
		const at = (field: string) => readText(roots.sys, 'class/nvme', device, field);
		return diskPart(device, await at('serial'), await at('model'));
	}
	const model = await readText(roots.sys, 'block', device, 'device/model');
	return diskPart(device, await serialPage(roots, device), model);
}

/** Page 80 of the vital product data: four bytes of header, then the serial number. */
async function serialPage(roots: Roots, device: string): Promise<string | undefined> {
	const page = await readText(roots.sys, 'block', device, 'device/vpd_pg80');
	const serial = clean(page ?? '', 100).replace(/^[^\x21-\x7e]+/, '');
	return serial === '' ? undefined : serial;
}

async function diskOnPort(roots: Roots, port: string): Promise<string | undefined> {
	for (const device of (await list(roots.sys, 'block')) ?? []) {
		const target = await readlink(`${roots.sys}/block/${device}`).catch(() => '');
		if (target.split('/').includes(port)) return device;
	}
	return undefined;
}
