import {type Attributes, type HardwareEvent, textOf} from '../event.ts';
import {type EventId, readEventId} from '../sensor-codes.ts';

/** Says that what an event tells of its part and state was guessed from its code, and by which rule. */
export const inferredFrom = 'callhome.inferred_from';

/** What a producer that names any of these knows better than the rule. */
const known = ['hw.state', 'state', 'error.type', 'callhome.serviceable', 'callhome.call_home_candidate'] as const;

const words = {
	call_home: {'callhome.call_home_candidate': 'true'},
	serviceable: {'callhome.serviceable': 'true', 'callhome.call_home_candidate': 'false'},
	never: {'callhome.serviceable': 'false'},
} as const;

/**
Classifies an event that has an IMM's event id and nothing else to go by. Its state, its part and its verdict are a guess,
and are marked as one; what the producer said itself stands.
*/
export function withInferred(event: HardwareEvent): HardwareEvent {
	const {attributes} = event;
	const code = textOf(attributes, 'callhome.event.code');
	if (code === undefined || known.some(name => textOf(attributes, name) !== undefined)) return event;
	const id = readEventId(code);
	return id?.event ? {...event, attributes: {...meaningOf(id.event), ...attributes, [inferredFrom]: 'imm_event_id'}} : event;
}

function meaningOf({type, state, errorType, verdict}: NonNullable<EventId['event']>): Attributes {
	return {
		...(type && {'hw.type': type}),
		...(state !== 'information' && {'hw.state': state}),
		...(errorType !== undefined && {'error.type': errorType}),
		...(verdict && words[verdict]),
	};
}
