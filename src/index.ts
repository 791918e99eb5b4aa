/** The library: what `import ... from 'refcap'` gives. */
export { InputError, UsageError } from './base/errors.ts';
