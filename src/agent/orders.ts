import {z} from 'zod';
import {BridgeError} from '../errors.ts';
import type {InventorySchedule} from '../service-information/inventory-schedule.ts';
import type {LedgerWatch} from './ledger.ts';
import {createOperate, type OperateParts, operations} from './operate.ts';

/** What a person wants of the bridge that runs, as it comes over the control socket. */
export const orderSchema = z.union([
	z.strictObject({
		operation: z.enum(operations),
		id: z.string().min(1).max(200),
		reason: z.string().max(500).default(''),
	}),
	z.strictObject({
		operation: z.literal('collect_inventory'),
		/** A source, a target, or both; all of them when it is empty. */
		named: z.string().max(300),
	}),
	z.strictObject({operation: z.literal('acknowledge_ledger'), reason: z.string().trim().min(1).max(500)}),
]);
export type AnyOrder = z.output<typeof orderSchema>;

/** Carries an order out. Resolves to what is told of it, as JSON. */
export type Orders = (order: AnyOrder) => Promise<unknown>;

/** Looking into many machines takes its time, as does a whole ledger that is verified before its breaks are acknowledged. */
const patienceOf: Partial<Record<AnyOrder['operation'], number>> = {collect_inventory: 3_600_000, acknowledge_ledger: 600_000};

/** How long the answer to an order may take, in milliseconds. */
export const orderMillis = ({operation}: AnyOrder): number => patienceOf[operation] ?? 15_000;

export type OrdersParts = OperateParts & {
	/** Undefined while no inventory may leave. */
	readonly inventories: InventorySchedule | undefined;
	readonly ledger: Pick<LedgerWatch, 'acknowledge'>;
};

export function createOrders({inventories, ledger, ...parts}: OrdersParts): Orders {
	const operate = createOperate(parts);
	return async function carryOut(order) {
		if (order.operation === 'acknowledge_ledger') return ledger.acknowledge(order.reason);
		if (order.operation !== 'collect_inventory') return (await operate(order)).id;
		if (!inventories) throw new BridgeError('ERR_USAGE', 'no inventory may leave: it takes consent.inventory and consent.cases');
		return inventories.collectNow(order.named);
	};
}
