import {z} from 'zod';

/**
How the sandbox treats a message. "Taken in" means that events are accepted and cases opened before the hostile act, so that a
client which sees the act cannot know whether its message arrived.

	normal                accepted and answered
	throttled             429, with Retry-After if `retry_after` is given; not taken in
	unavailable           503, with Retry-After if `retry_after` is given; not taken in
	server_error          500; not taken in
	captive_portal        200 with an HTML page; not taken in
	truncated             taken in, then a reply that is shorter than its Content-Length
	slow                  taken in, the reply comes after `delay`
	reset                 connection reset before the reply; not taken in
	lost_acknowledgement  taken in, then the connection is closed without a reply
	malformed_reply       taken in, then 200 with broken JSON
	expired_certificate   new connections are shown a certificate that has expired
	refused_message       the reply that IBM gives to a malformed message; not taken in
	event_rejected        each event gets the return code 400; not taken in
	business_error        a service event is taken in, and its answer is a refusal in words instead of a case
	chaos                 one of `among`, drawn anew each time
*/
export const sandboxModes = [
	'normal',
	'throttled',
	'unavailable',
	'server_error',
	'captive_portal',
	'truncated',
	'slow',
	'reset',
	'lost_acknowledgement',
	'malformed_reply',
	'expired_certificate',
	'refused_message',
	'event_rejected',
	'business_error',
	'chaos',
] as const;
export type SandboxMode = (typeof sandboxModes)[number];

/** What can happen to one message: chaos has been drawn, and a certificate comes before any message. */
export type Act = Exclude<SandboxMode, 'chaos' | 'expired_certificate'>;

const chaosModes = sandboxModes.filter(mode => mode !== 'normal' && mode !== 'chaos');

/** What chaos draws from by default: a client that repeats is served in the end, so no final refusals. */
const passingModes = chaosModes.filter(
	mode => mode !== 'refused_message' && mode !== 'event_rejected' && mode !== 'business_error',
);

export type ModeOptions = {
	/** 0 to 1, 1 by default: how often the mode strikes. */
	readonly probability?: number | undefined;
	/** How many times it strikes before the sandbox is normal again; unlimited by default. */
	readonly count?: number | undefined;
	readonly retryAfterSeconds?: number | undefined;
	readonly delayMillis?: number | undefined;
	/** The refusal's text, for business_error, event_rejected and refused_message. */
	readonly error?: string | undefined;
	/** Only messages about one of these systems. A certificate is shown before there is a message, so not expired_certificate. */
	readonly serialNumbers?: readonly string[] | undefined;
	/** Only messages with an event of one of these types; not expired_certificate. */
	readonly eventTypes?: readonly string[] | undefined;
	/** For chaos. */
	readonly among?: readonly SandboxMode[] | undefined;
};

export type ModeSetting = {
	readonly mode: SandboxMode;
	readonly probability: number;
	readonly count: number | undefined;
	readonly retryAfterSeconds: number | undefined;
	readonly delayMillis: number;
	readonly error: string;
	readonly serialNumbers: readonly string[] | undefined;
	readonly eventTypes: readonly string[] | undefined;
	readonly among: readonly SandboxMode[];
};

/** What PUT /sandbox/mode takes. */
export const modeSchema = z.strictObject({
	mode: z.enum(sandboxModes),
	probability: z.number().min(0).max(1).optional(),
	count: z.int().positive().optional(),
	retry_after: z.int().nonnegative().max(86_400).optional(), // seconds
	delay_ms: z.int().nonnegative().max(600_000).optional(),
	error: z.string().min(1).max(1000).optional(),
	serial_numbers: z.array(z.string()).optional(),
	event_types: z.array(z.string()).optional(),
	among: z.array(z.enum(chaosModes)).min(1).optional(),
});

const refusals: {readonly [M in SandboxMode]?: string} = {
	business_error: 'the system has no entitlement for hardware support',
	event_rejected: 'the sandbox was told to reject this event',
	refused_message: 'the sandbox was told to refuse this message',
};

export const modeSetting = (mode: SandboxMode, options: ModeOptions = {}): ModeSetting => ({
	mode,
	probability: options.probability ?? 1,
	count: options.count,
	retryAfterSeconds: options.retryAfterSeconds,
	delayMillis: options.delayMillis ?? 5000,
	error: options.error ?? refusals[mode] ?? 'refused by the sandbox',
	serialNumbers: options.serialNumbers,
	eventTypes: options.eventTypes ?? (mode === 'business_error' ? ['service'] : undefined),
	among: options.among ?? passingModes,
});

/** What a mode may be narrowed down to. */
export type Subject = {readonly eventTypes: readonly string[]; readonly serialNumbers: readonly string[]};

const concerns = (setting: ModeSetting, subject: Subject): boolean =>
	(setting.eventTypes?.some(type => subject.eventTypes.includes(type)) ?? true) &&
	(setting.serialNumbers?.some(serialNumber => subject.serialNumbers.includes(serialNumber)) ?? true);

export function createModes(initial: ModeSetting, random: () => number) {
	let current = initial;

	function strikes(): boolean {
		if (random() >= current.probability) return false;
		if (current.count === 1) current = modeSetting('normal');
		else if (current.count !== undefined) current = {...current, count: current.count - 1};
		return true;
	}

	const isAct = (mode: SandboxMode): mode is Act => mode !== 'chaos' && mode !== 'expired_certificate';

	return {
		current: () => current,
		set(setting: ModeSetting) {
			current = setting;
		},
		/** Asked once for each new connection. */
		showsExpiredCertificate(): boolean {
			const {mode, among} = current;
			if (mode === 'expired_certificate') return strikes();
			return mode === 'chaos' && among.includes('expired_certificate') && random() < 1 / among.length && strikes();
		},
		/** Asked once for each message. The setting comes along because the last strike of a count ends it. */
		actOn(subject: Subject): {act: Act; setting: ModeSetting} {
			const setting = current;
			const acts = (setting.mode === 'chaos' ? setting.among : [setting.mode]).filter(isAct);
			const passes = setting.mode === 'normal' || acts.length === 0 || !concerns(setting, subject) || !strikes();
			return {act: (passes ? undefined : acts[Math.floor(random() * acts.length)]) ?? 'normal', setting};
		},
	};
}
export type Modes = ReturnType<typeof createModes>;
