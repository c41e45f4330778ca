import {randomBytes, scrypt, timingSafeEqual} from 'node:crypto';
import {promisify} from 'node:util';
import type {Marks} from '../../source.ts';
import type {CimSystem} from './config.ts';

const derive = promisify(scrypt) as (password: string, salt: Buffer, length: number) => Promise<Buffer>;

/** Remembers, across restarts, which login was refused and when, and not the login itself. */
export function createRefusals(marks: Marks, pauseMillis: number, now: () => number) {
	const key = ({host, port}: CimSystem) => `cim/refused/${host}:${port}`;
	const loginOf = ({username, password}: CimSystem) => JSON.stringify([username, password.reveal()]);
	const open = new Map<CimSystem, number>();
	const isPast = (at: number) => Math.abs(now() - at) >= pauseMillis;

	return {
		/** Whether this very login was refused so short a time ago that it is not to be tried. */
		async isHeld(system: CimSystem): Promise<boolean> {
			const at = open.get(system);
			if (at !== undefined) return !isPast(at);
			const [time = '', salt = '', digest = ''] = ((await marks.read(key(system))) ?? '').split(' ');
			if (digest === '' || isPast(Number(time))) return false;
			const bytes = Buffer.from(digest, 'base64');
			if (!timingSafeEqual(await derive(loginOf(system), Buffer.from(salt, 'base64'), bytes.length), bytes)) return false;
			open.set(system, Number(time));
			return true;
		},
		async refused(system: CimSystem): Promise<void> {
			open.set(system, now());
			const salt = randomBytes(16);
			const digest = await derive(loginOf(system), salt, 32);
			await marks.write(key(system), [now(), salt.toString('base64'), digest.toString('base64')].join(' '));
		},
		async accepted(system: CimSystem): Promise<void> {
			if (!open.delete(system) && !(await marks.read(key(system)))) return;
			await marks.write(key(system), '');
		},
	};
}
