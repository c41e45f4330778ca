import type {IncomingMessage, ServerResponse} from 'node:http';
import {type BridgeErrorCode, isBridgeError, toError} from '../../errors.ts';
import type {Consume, Decision, HardwareEvent} from '../../event.ts';
import type {Instruments} from '../../telemetry.ts';
import type {Admission} from './admission.ts';
import {answer, type createRefuse} from './answer.ts';
import {type Limits, readBody, tooLarge} from './body.ts';
import {createInflate, unsupportedCoding} from './inflate.ts';
import {createOutcomes} from './outcomes.ts';
import type {Encoding, Reader, Reading, Signal} from './reading.ts';
import {isRefusal, type Refusal, type RefusalKind} from './refusal.ts';
import {encodeResponse, encodingOf} from './status.ts';

export type IntakeParts = {
	readonly readers: Record<Signal, Record<Encoding, Reader>>;
	readonly consume: Consume;
	readonly instruments: Pick<Instruments, 'intakeRecords'>;
	readonly admission: Admission;
	readonly refuse: ReturnType<typeof createRefuse>;
	readonly now: () => number;
};

/** Makes the functions that receive the requests of one signal each. */
export function createIntake(limits: Limits, parts: IntakeParts) {
	const {admission, consume, now} = parts;
	const inflate = createInflate(limits.max_inflated_size);

	return function intakeOf(signal: Signal) {
		const outcomes = createOutcomes(parts.instruments.intakeRecords, signal);
		return async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
			const encoding = encodingOf(request.headers['content-type']);
			const refuse = (refusal: Refusal) => parts.refuse(request, response, refusal, encoding);
			const unwelcome = admission.refusalFor(request) ?? refusalOf(request, limits);
			if (unwelcome) return refuse(unwelcome);
			if (!encoding) return refuse(unsupportedType);

			using _place = admission.enter(response);
			if (request.headers.expect !== undefined) response.writeContinue();
			const reading = await readRequest(request, parts.readers[signal][encoding]);
			if (!reading) return;
			if (isRefusal(reading)) return refuse(reading);
			const decisions = await keep(reading.events, consume);
			if (isRefusal(decisions)) {
				outcomes.refused(reading);
				return refuse(decisions);
			}
			outcomes.answered(reading, decisions);
			const partialSuccess = {rejected: reading.malformed, errorMessage: reading.malformedMessage};
			// Every selected event is on disk: only from here on may the producer forget its records (G1).
			answer(response, encoding, encodeResponse(signal, encoding, partialSuccess));
		};
	};

	/** The bytes are let go of here: nothing holds them while the events wait for the disk. */
	async function readRequest(request: IncomingMessage, read: Reader): Promise<Reading | Refusal | undefined> {
		const body = await readBody(request, limits);
		if (!body || isRefusal(body)) return body;
		const inflated = await inflate(body, request.headers['content-encoding']);
		return isRefusal(inflated) ? inflated : readingOf(inflated, read, now());
	}
}

const unsupportedType: Refusal = {
	refusal: 'unsupported_type',
	message: 'Content-Type must be application/x-protobuf or application/json.',
};

/** What is plain from the headers: then the body is not read. */
function refusalOf({headers}: IncomingMessage, limits: Limits): Refusal | undefined {
	if (Number(headers['content-length'] ?? 0) > limits.max_request_size) return tooLarge(limits.max_request_size);
	return unsupportedCoding(headers['content-encoding']);
}

const nothing: Reading = {records: 0, malformed: 0, malformedMessage: '', events: []};

function readingOf(body: Buffer, read: Reader, receivedAt: number): Reading | Refusal {
	if (body.length === 0) return nothing;
	try {
		return read(body, receivedAt);
	} catch (error) {
		return isBridgeError(error, 'ERR_MALFORMED') ? {refusal: 'malformed', message: error.message} : failed(error);
	}
}

const refusalOfCode: Partial<Record<BridgeErrorCode, RefusalKind>> = {
	ERR_STORE_FULL: 'store_full',
	ERR_STORE_BUSY: 'store_busy',
	ERR_STORE_DAMAGED: 'store_busy', // It is being mended.
	ERR_NOT_READY: 'store_busy',
	ERR_SHUTTING_DOWN: 'shutting_down',
};

async function keep(events: readonly HardwareEvent[], consume: Consume): Promise<readonly Decision[] | Refusal> {
	if (events.length === 0) return [];
	try {
		return await consume(events);
	} catch (error) {
		const refusal = isBridgeError(error) ? refusalOfCode[error.code] : undefined;
		return refusal ? {refusal, message: toError(error).message} : failed(error);
	}
}

/** Even a fault of the bridge itself is answered as one that passes: a producer that hears of another drops its records. */
const failed = (error: unknown): Refusal => ({
	refusal: 'failed',
	message: 'The bridge cannot take the records at the moment. Send the request again.',
	cause: toError(error),
});
