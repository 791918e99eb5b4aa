/** fast-check as tests import it: the same cases at each run, others with PROPERTY_SEED=N. */
import fc from '../node_modules/fast-check/lib/fast-check.js';

fc.configureGlobal({ seed: Number(process.env.PROPERTY_SEED ?? 1) });

export default fc;
