#!/usr/bin/env node
import {enableCompileCache} from 'node:module';
import {join} from 'node:path';

// From a checkout half the start-up time is stripping types and compiling: the second start finds it done.
if (import.meta.filename.endsWith('.ts')) enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/callhome-bridge'));

const {main} = await import('./cli/program.ts');
await main();
