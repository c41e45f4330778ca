import snmp, {type User} from 'net-snmp';
import type {SnmpUser} from './config.ts';

/** A user as the library takes it: with a password for privacy, privacy is demanded; with one for authentication, that. */
export function toUser({name, auth_protocol, auth_password, priv_protocol, priv_password}: SnmpUser): User {
	if (!auth_password) return {name, level: snmp.SecurityLevel.noAuthNoPriv};
	const authenticated = {name, authProtocol: snmp.AuthProtocols[auth_protocol], authKey: auth_password.reveal()};
	if (!priv_password) return {...authenticated, level: snmp.SecurityLevel.authNoPriv};
	const privProtocol = snmp.PrivProtocols[priv_protocol];
	return {...authenticated, level: snmp.SecurityLevel.authPriv, privProtocol, privKey: priv_password.reveal()};
}

type Keys = {readonly authToKeyCache: Record<string, Buffer>};
/** Far more than there are management modules. */
const mostKeys = 40_000;
const callsBetween = 500;
let calls = 0;

/** The library keeps the key of every engine that it ever heard of: without end, if somebody makes engines up. */
export function forgetKeys(): void {
	if (calls++ % callsBetween !== 0) return;
	const {authToKeyCache} = (snmp as unknown as {readonly Authentication: Keys}).Authentication;
	const known = Object.keys(authToKeyCache);
	if (known.length <= mostKeys) return;
	for (const key of known) delete authToKeyCache[key];
}
