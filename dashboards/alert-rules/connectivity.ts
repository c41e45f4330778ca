import {connectionRules} from './connections.ts';
import {deliveryRules} from './delivery.ts';
import {heartbeatRules} from './heartbeats.ts';
import {inventoryRules} from './inventory.ts';
import type {RuleGroup} from './rule.ts';
import type {Terms} from './terms.ts';

/** Whether call home gets through, and what will stop it. A group is evaluated in order, at one moment. */
export const connectivityGroup = (terms: Terms): RuleGroup => ({
	name: 'callhome-connectivity',
	rules: [...heartbeatRules(terms), ...connectionRules(terms), ...deliveryRules(terms), ...inventoryRules(terms)],
});
