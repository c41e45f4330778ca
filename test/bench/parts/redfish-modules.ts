import {once} from 'node:events';
import {createServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import {createRedfishService, machinePages} from '../../helpers/redfish-service.ts';

/** How many modules are to be there, and what they show that they are. */
export type ModulesOrder = {readonly count: number; readonly certificate: string; readonly key: string};
/** Their ports. */
export type ModulesOpened = readonly number[];

const serialNumber = (index: number) => `J${String(index).padStart(6, '0')}`;

/** A management module of a machine of its own, with a stream of events. */
async function openModule(index: number, {certificate, key}: ModulesOrder): Promise<number> {
	const pages = machinePages();
	const system = pages['/redfish/v1/Systems/1'];
	pages['/redfish/v1/Systems/1'] = {...system, SerialNumber: serialNumber(index), HostName: `db${index}`};
	const {listener} = createRedfishService(pages, {push: false});
	const server = createServer({cert: certificate, key}, listener).listen(0, '127.0.0.1');
	await once(server, 'listening');
	return (server.address() as AddressInfo).port;
}

process.on('message', async (order: ModulesOrder) => {
	process.send?.(await Promise.all(Array.from({length: order.count}, (_, index) => openModule(index, order))));
});
