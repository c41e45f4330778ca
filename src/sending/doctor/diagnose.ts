import type {Stage} from '../../attempt.ts';
import type {BridgeError} from '../../errors.ts';
import type {Finding} from './diagnosis.ts';
import {networkRules} from './rules-network.ts';
import {proxyRules} from './rules-proxy.ts';
import {serviceRules} from './rules-service.ts';
import {type Place, type Rule, signOf} from './sign.ts';

const rules: readonly Rule[] = [...networkRules, ...proxyRules, ...serviceRules];

/** The likely cause of a failed stage, and what to do about it over this kind of connection. It adds to the message of the error. */
export function diagnose(stage: Stage, error: BridgeError, place: Place): Finding {
	const sign = signOf(error);
	const rule = rules.find(
		({stage: of, codes, when}) => of === stage && codes.includes(sign.code) && (when?.(sign, place) ?? true),
	);
	return rule?.say(place, sign) ?? unknown(stage, place);
}

const unknown = (stage: Stage, {peer, connection}: Place): Finding => ({
	cause: `This is no failure that the doctor knows of the stage ${stage} at ${peer}.`,
	advice: `Run it again with --json --connection "${connection}" and hand the output to whoever runs what answers at ${peer}.`,
	short: 'a failure that the doctor does not know',
});
