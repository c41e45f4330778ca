import test, {type ImplementationFn} from 'ava';
import {peer} from './peer-binaries.ts';

export {peer, requiredPeer} from './peer-binaries.ts';

/**
A test that needs real peers. Where one is missing it is skipped with the reason in its title; where `CI` is set it fails,
so that nothing passes there unseen.
*/
export function testWithPeer(names: string | readonly string[], title: string, implementation: ImplementationFn<[]>): void {
	const missing = [names].flat().filter(name => !peer(name));
	if (missing.length === 0) {
		test(title, implementation);
		return;
	}
	const reason = `${missing.join(', ')} not installed: run "npm run peers"`;
	if (process.env.CI) test(title, t => t.fail(reason));
	else test.skip(`${title} (${reason})`, implementation);
}
