#!/usr/bin/env node
import {enableCompileCache, findPackageJSON} from 'node:module';
import {dirname, join} from 'node:path';

// Half the start-up time is compiling: the second start finds it done. Without a writable folder it compiles each time.
enableCompileCache(join(dirname(findPackageJSON(import.meta.url) ?? ''), 'node_modules/.cache/callhome-bridge'));

const {main} = await import('./cli/program.ts');
await main();
