#!/usr/bin/env node
import {enableCompileCache} from 'node:module';
import {join} from 'node:path';
import {setFlagsFromString} from 'node:v8';

// Half the start-up time is compiling: the second start finds it done. Without a writable folder it compiles each time.
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/callhome-bridge'));
// A young generation of 16 MiB times three is memory that an agent on somebody else's machine should not take.
setFlagsFromString('--max-semi-space-size=4');

const {main} = await import('./cli/program.ts');
await main();
