import {randomBytes, scrypt, timingSafeEqual} from 'node:crypto';
import {promisify} from 'node:util';
import type {Secret} from './secret.ts';
import type {Marks} from './source.ts';

const derive = promisify(scrypt) as (password: string, salt: Buffer, length: number) => Promise<Buffer>;

/** Whom a management module is asked as. `key` names the module among all that the bridge watches. */
export type Login = {readonly key: string; readonly username: string; readonly password: Secret};

/** What a person has to do. */
export const refusedAdvice =
	'correct user and password; the same login is tried again only after refused_pause, for modules lock accounts';

const textOf = ({username, password}: Login) => JSON.stringify([username, password.reveal()]);

/** Remembers, across restarts, which login was refused and when, and not the login itself. */
export function createRefusals(marks: Marks, pauseMillis: number, now: () => number) {
	const open = new Map<string, number>();
	const isPast = (at: number) => Math.abs(now() - at) >= pauseMillis;

	return {
		/** Whether this very login was refused so short a time ago that it is not to be tried. */
		async isHeld(login: Login): Promise<boolean> {
			const at = open.get(login.key);
			if (at !== undefined) return !isPast(at);
			const [time = '', salt = '', digest = ''] = ((await marks.read(login.key)) ?? '').split(' ');
			if (digest === '' || isPast(Number(time))) return false;
			const bytes = Buffer.from(digest, 'base64');
			if (!timingSafeEqual(await derive(textOf(login), Buffer.from(salt, 'base64'), bytes.length), bytes)) return false;
			open.set(login.key, Number(time));
			return true;
		},
		async refused(login: Login): Promise<void> {
			open.set(login.key, now());
			const salt = randomBytes(16);
			const digest = await derive(textOf(login), salt, 32);
			await marks.write(login.key, [now(), salt.toString('base64'), digest.toString('base64')].join(' '));
		},
		async accepted({key}: Login): Promise<void> {
			if (!open.delete(key) && !(await marks.read(key))) return;
			await marks.write(key, '');
		},
	};
}
