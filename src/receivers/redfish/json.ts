import type {RedfishSystem} from './config.ts';

export type Json = {readonly [key: string]: unknown};
export const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
export const textIn = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
/** Where a reference leads: modules write it as a text or as an object. */
export const linkIn = (value: unknown): string | undefined => textIn(isObject(value) ? value['@odata.id'] : value);

/** Under which the marks of a module are kept. */
export const keyOf = ({url}: RedfishSystem): string => `redfish/${url.host}`;
