import {X509Certificate} from 'node:crypto';
import {chmod, mkdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {ensureCertificates} from '../../src/sandbox/certificates.ts';
import {temporaryDirectory} from '../helpers/listen.ts';
import {clientOf, messageOf, startSandbox} from '../helpers/sandbox.ts';

const dayMillis = 86_400_000;
const now = Date.now();
const read = async (directory: string, name: string) => readFile(join(directory, name), 'utf8');
const modeOf = async (file: string) => ((await stat(file)).mode & 0o777).toString(8);

test('files have the modes that their contents need', async t => {
	const directory = join(await temporaryDirectory(t), 'sandbox');
	await mkdir(directory);
	await chmod(directory, 0o755);
	await ensureCertificates(directory);
	t.is(await modeOf(directory), '700');
	t.is(await modeOf(join(directory, 'ca.pem')), '644');
	for (const name of ['ca.key', 'server.key']) t.is(await modeOf(join(directory, name)), '600');
});

test('the certificate names what a client may call the sandbox', async t => {
	const {server, caFile} = await ensureCertificates(await temporaryDirectory(t));
	const certificate = new X509Certificate(server.cert);
	for (const name of ['localhost', 'esupport.ibm.com']) t.truthy(certificate.checkHost(name));
	for (const address of ['127.0.0.1', '::1']) t.truthy(certificate.checkIP(address));
	t.is(certificate.checkHost('www.ibm.com'), undefined);
	const authority = new X509Certificate(await readFile(caFile));
	t.true(authority.ca);
	t.false(certificate.ca);
	t.true(certificate.checkIssued(authority));
});

for (const servername of ['localhost', 'esupport.ibm.com']) {
	test(`a client verifies it as ${servername}`, async t => {
		t.is((await clientOf(t, await startSandbox(t), {servername})(messageOf([]))).status, 200);
	});
}

test('good certificates are used again', async t => {
	const directory = await temporaryDirectory(t);
	const first = await ensureCertificates(directory, now);
	t.deepEqual(await ensureCertificates(directory, now + 400 * dayMillis), first);
});

test('the server certificate is renewed before it expires, by the same CA', async t => {
	const directory = await temporaryDirectory(t);
	const first = await ensureCertificates(directory, now);
	const authority = await read(directory, 'ca.pem');
	const later = now + 500 * dayMillis;
	const second = await ensureCertificates(directory, later);
	t.not(second.server.cert, first.server.cert);
	t.is(await read(directory, 'ca.pem'), authority);
	t.true(new X509Certificate(second.server.cert).validToDate.getTime() > later + 800 * dayMillis);
	t.true(new X509Certificate(second.expired.cert).validToDate.getTime() < later);
});

test('the CA is renewed while it can still outlive what it signs', async t => {
	const directory = await temporaryDirectory(t);
	await ensureCertificates(directory, now);
	const authority = await read(directory, 'ca.pem');
	const later = now + 3000 * dayMillis;
	const {server} = await ensureCertificates(directory, later);
	t.not(await read(directory, 'ca.pem'), authority);
	t.true(new X509Certificate(server.cert).checkIssued(new X509Certificate(await read(directory, 'ca.pem'))));
});

test('a clock that was set back gets certificates that are valid for it', async t => {
	const directory = await temporaryDirectory(t);
	await ensureCertificates(directory, now);
	const earlier = now - 300 * dayMillis;
	const {server, caFile} = await ensureCertificates(directory, earlier);
	for (const pem of [server.cert, await readFile(caFile, 'utf8')])
		t.true(new X509Certificate(pem).validFromDate.getTime() < earlier);
});

for (const name of ['ca.pem', 'ca.key', 'server.pem', 'server.key', 'expired.pem']) {
	test(`${name} missing, damaged or from elsewhere is made anew`, async t => {
		const [directory, other] = [await temporaryDirectory(t), await temporaryDirectory(t)];
		await ensureCertificates(directory);
		await ensureCertificates(other);
		const authority = await read(directory, 'ca.pem');
		for (const content of [undefined, '', '-----BEGIN CERTIFICATE-----\nAAAA\n', await read(other, name)]) {
			if (content === undefined) await rm(join(directory, name));
			else await writeFile(join(directory, name), content);
			const sandbox = await startSandbox(t, {}, {directory});
			t.is((await clientOf(t, sandbox)(messageOf([]))).status, 200);
			await sandbox.shutdown();
		}
		if (!name.startsWith('ca.')) t.is(await read(directory, 'ca.pem'), authority);
	});
}
