import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {buffer} from 'node:stream/consumers';
import {gunzipSync} from 'node:zlib';
import {createReaders} from '../../../src/receivers/otlp/reading.ts';
import {selectionSchema} from '../../../src/receivers/otlp/selection.ts';

/** Where the Collector forwards to: counts log records, answers 200. GET tells the count. Prints its address. */
const {logs} = createReaders(selectionSchema.parse(undefined));
let records = 0;

const server = createServer(async (request, response) => {
	if (request.method === 'GET') return void response.end(String(records));
	const body = await buffer(request);
	const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
	records += logs.protobuf(plain, Date.now()).records;
	response.writeHead(200, {'content-type': 'application/x-protobuf'}).end();
}).listen(0, '127.0.0.1');
await once(server, 'listening');
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
