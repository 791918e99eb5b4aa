#!/usr/bin/env node
/** The `refcap` command. In a clone it first installs and builds what is missing, as `npm run demo` does. */
import { existsSync } from 'node:fs';

// A package is built already and holds no scripts.
const setup = new URL('../scripts/setup.mjs', import.meta.url);
if (existsSync(setup)) await import(setup.href);
await import(new URL('../dist/cli/main.js', import.meta.url).href);
