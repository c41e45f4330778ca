import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {cimReceiverSchema} from '../../../src/receivers/cim/config.ts';
import {createCimReceiver} from '../../../src/receivers/cim/receiver.ts';
import {startCimServer} from '../../helpers/cim-server.ts';
import {eventually, temporaryDirectory} from '../../helpers/listen.ts';
import {requiredPeer, testWithPeer} from '../../helpers/peers.ts';
import {startProgram} from '../../helpers/program.ts';
import {started, watchSource} from '../../helpers/sources.ts';

async function python(t: ExecutionContext, script: string, ...args: string[]): Promise<string> {
	const file = join(await temporaryDirectory(t), 'peer.py');
	await writeFile(file, script);
	const program = await startProgram(t, requiredPeer('python'), [file, ...args]);
	const code = await program.ended;
	if (code !== 0) throw new Error(`python ended with ${code}: ${program.output()}`);
	return program.output();
}

const sender = `
import sys, pywbem
from pywbem import CIMInstance, Uint16, CIMDateTime
connection = pywbem.WBEMConnection(sys.argv[1], None, no_verification=True)
alert = CIMInstance('CIM_AlertIndication', {
    'EventID': '0x806F010720010000', 'MessageID': 'PLAT0100', 'Message': 'The Processor "CPU 1" has Failed with FRB1/BIST <condition>.',
    'MessageArguments': ['CPU 1'], 'PerceivedSeverity': Uint16(6), 'ProbableCause': Uint16(38), 'SystemName': 'imm7',
    'EventTime': CIMDateTime('20261101100000.000000+000'), 'OtherSeverity': pywbem.CIMProperty('OtherSeverity', None, type='string')})
for _ in range(2):
    connection.ExportIndication(alert)
print('sent')
`;

testWithPeer('python', "pywbem's indications are taken, and the repeated one is the same event", async t => {
	const watched = watchSource();
	const receiver = await started(t, createCimReceiver(cimReceiverSchema.parse({endpoint: '127.0.0.1:0'}), watched.parts));
	t.regex(await python(t, sender, receiver.url().href.replace(/\/$/, '')), /sent/);
	const [first, second] = watched.events;
	t.is(watched.events.length, 2);
	t.is(first?.id, second?.id);
	t.like(first?.attributes, {'hw.id': 'cpu/1', 'hw.type': 'cpu', 'hw.state': 'failed', 'cim.OwningEntity': undefined});
	t.like(first?.resource, {'host.name': 'imm7'});
});

const client = `
import sys, pywbem
c = pywbem.WBEMConnection(sys.argv[1], ('USERID', 'PASSW0RD'), default_namespace='root/interop')
destinations = c.EnumerateInstances('CIM_ListenerDestinationCIMXML')
filters = c.EnumerateInstances('CIM_IndicationFilter')
subscriptions = c.EnumerateInstances('CIM_IndicationSubscription')
print('found', len(destinations), len(filters), len(subscriptions))
print('refers', subscriptions[0]['Handler'].keybindings['Name'] == destinations[0]['Name'])
again = c.GetInstance(c.EnumerateInstanceNames('CIM_IndicationFilter')[0])
print('query', again['Query'])
try:
    c.DeleteInstance(filters[0].path)
except pywbem.CIMError as error:
    print('refused', error.status_code)
c.DeleteInstance(subscriptions[0].path)
made = pywbem.CIMInstance('CIM_IndicationFilter', {'SystemCreationClassName': 'CIM_ComputerSystem', 'SystemName': 'x',
    'CreationClassName': 'CIM_IndicationFilter', 'Name': 'of pywbem', 'Query': 'SELECT * FROM CIM_Indication', 'QueryLanguage': 'WQL'})
print('made', c.CreateInstance(made).keybindings['Name'])
try:
    c.CreateInstance(made)
except pywbem.CIMError as error:
    print('refused', error.status_code)
`;

testWithPeer('python', 'the bridge subscribes at a server that pywbem understands, and makes again what is gone', async t => {
	const server = await startCimServer(t);
	const watched = watchSource();
	const system = {host: '127.0.0.1', port: 1, http_port: server.port, allow_http: true, username: 'USERID', password: 'PASSW0RD'};
	const config = cimReceiverSchema.parse({endpoint: '127.0.0.1:0', check_interval: '500ms', systems: [system]});
	await started(t, createCimReceiver(config, {...watched.parts, random: () => 0}));
	await eventually(() => watched.targets.at(-1)?.state === 'working');
	const said = await python(t, client, `http://127.0.0.1:${server.port}`);
	t.regex(said, /found 1 1 1\s+refers True\s+query SELECT \* FROM CIM_AlertIndication\s+refused 1\s+made of pywbem\s+refused 11/);
	await eventually(() => server.subscriptions().length === 1);
	t.is(server.filters().length, 2);
});
