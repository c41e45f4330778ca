import test from 'ava';
import {createClassify} from '../src/processors/classify.ts';
import {withInferred} from '../src/processors/infer.ts';
import {entryTold, toEvent} from '../src/receivers/redfish/alert.ts';
import {linesOf, logColumns, logEvents} from '../src/receivers/snmp/event-log.ts';
import {logTable} from '../src/receivers/snmp/imm-mib.ts';

const classify = createClassify([]);

/** What becomes of an entry of a Redfish log: the verdict, and after how many of them. */
function ofRedfish(Severity: string, MessageId: string, Message: string): string {
	const told = entryTold({Id: '1', Created: '2026-01-01T00:00:00Z', Severity, MessageId, Message}, '/log');
	if (!told) return 'no event';
	const {verdict, repeat} = classify(withInferred(toEvent(told, {}, Date.UTC(2026, 1, 1))));
	return repeat === 1 ? verdict : `${verdict} x${repeat}`;
}

/** What becomes of a line of the event log of an IMM; severity 0 is an error, 1 a warning. */
function ofEventLog(severity: number, text: string): string {
	const row = new Map<number, number | Buffer>([
		[logTable.text, Buffer.from(text)],
		[logTable.severity, severity],
	]);
	const [event] = logEvents(linesOf(new Map([['1', row]]), logColumns), 'imm', {}, Date.UTC(2026, 1, 1));
	if (!event) return 'no event';
	const {verdict, repeat} = classify(event);
	return repeat === 1 ? verdict : `${verdict} x${repeat}`;
}

const redfish: readonly (readonly [severity: string, id: string, message: string, verdict: string])[] = [
	['Warning', 'IDRAC.2.8.USR0031', 'Unable to log in for root from 192.0.2.5 using GUI.', 'never'],
	['Critical', 'IDRAC.2.8.USR0031', 'Unable to log in for root from 192.0.2.5 using GUI.', 'never'],
	['Warning', 'OpenBMC.0.1.InvalidLoginAttempted', 'Invalid login attempted on HTTPS', 'never'],
	['Warning', 'IDRAC.2.8.LOG008', 'The Lifecycle Log is almost full.', 'never'],
	['Warning', 'EventLog.1.0.Cleared', 'Event log cleared', 'never'],
	['Critical', 'IDRAC.2.8.SEC0000', 'The chassis is open.', 'never'],
	['Warning', 'IDRAC.2.8.NIC100', 'The NIC Integrated 1 Port 1 network link is down.', 'never'],
	['Warning', 'IDRAC.2.8.RED097', 'Job failed.', 'never'],
	['Warning', 'FQXSPSE4001I', 'Remote Login Successful. Login ID: USERID from 192.0.2.2.', 'never'],
	['Critical', 'FQXSPMA0008N', 'Uncorrectable error detected for DIMM 5 on Subsystem.', 'call_home'],
	['Warning', 'FQPSPPU0090M', 'CPU 0 has failed', 'call_home'],
	['Critical', '', 'Watchdog2 timer expired', 'serviceable'],
	['Critical', 'OpenBMC.0.1.SystemPowerLost', 'System power lost', 'serviceable'],
	['Warning', 'Vendor.1.0.Odd', 'Something is odd', 'serviceable'],
	['Warning', 'Vendor.1.0.Src', 'Something is odd: BD8D1002', 'call_home x2'],
	['Critical', 'Vendor.1.0.Odd', 'Something has failed', 'call_home'],
	['Critical', 'Vendor.1.0.Odd', 'An unrecoverable error was logged in the system event log', 'call_home'],
	['Critical', 'Vendor.1.0.Odd', 'A fatal error occurred: see the event log in the module for full details', 'call_home'],
	['Critical', 'Vendor.1.0.Odd', 'The planar has failed: clear the log after the repair', 'call_home'],
	['Warning', 'Vendor.1.0.Odd', 'Log area reset/cleared', 'never'],
	['Warning', 'Vendor.1.0.Odd', 'The event log is 75% full', 'never'],
	['Warning', 'Vendor.1.0.Odd', 'User root logged out from 192.0.2.9', 'never'],
	['Warning', 'Vendor.1.0.Odd', 'Firmware update of the module has started', 'never'],
	['Critical', 'IDRAC.2.8.PSU0003', 'The power input for power supply 1 is lost.', 'serviceable'],
	['Critical', 'IDRAC.2.8.PSU0001', 'Power supply 1 failed.', 'call_home'],
	['Warning', 'IDRAC.2.8.MEM0701', 'Correctable memory error rate exceeded for DIMM_A1.', 'call_home'],
	['Critical', 'IDRAC.2.8.MEM0001', 'Multi-bit memory errors detected on a memory device at DIMM_A1.', 'call_home'],
	['Critical', 'IDRAC.2.8.PDR3', 'Disk 2 in Backplane 1 is not functioning correctly.', 'call_home'],
	['Warning', 'IDRAC.2.8.FAN0000', 'Fan 3 RPM is less than the lower warning threshold.', 'call_home x2'],
];
for (const [severity, id, message, verdict] of redfish)
	test(`Redfish, ${severity}: "${message}" ${id} is ${verdict}`, t => t.is(ofRedfish(severity, id, message), verdict));

const eventLog: readonly (readonly [severity: number, text: string, verdict: string])[] = [
	[1, 'Remote Login Attempt Failed. Login ID: USERID from SSH at IP address 192.0.2.9', 'never'],
	[1, 'The System "db01" encountered a POST Error', 'serviceable'],
	[0, 'The System "db01" encountered a POST Error', 'call_home'],
	[0, 'The Drive "Drive 3" has been disabled due to a detected fault', 'call_home'],
	[1, 'Redundancy Lost for "Power Supply 1" has asserted', 'call_home x2'],
	[0, '"Power Supply 1" has lost input', 'serviceable'],
	[1, 'The PFA Threshold limit has been exceeded on "DIMM 4"', 'call_home'],
];
for (const [severity, text, verdict] of eventLog)
	test(`event log, severity ${severity}: "${text}" is ${verdict}`, t => t.is(ofEventLog(severity, text), verdict));
