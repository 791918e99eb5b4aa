/** Options of how a model is opened: what it writes with, and on what it computes. */
import { Option } from '@commander-js/extra-typings';
import { positive } from './values.ts';

/** `--device`. */
export const deviceOption = () =>
  new Option('--device <name>', "where to compute: 'cpu', 'webgpu', ... (default: cpu)");

/** `--threads`. @param whose of what they are, where a command has threads of other parts, too */
export const threadsOption = (whose?: 'of each worker' | 'of the model') =>
  new Option(
    '--threads <n>',
    `processor threads${whose ? ` ${whose}` : ''} (default: all cores)`,
  ).argParser(positive);

/** `--members`. @param what they do */
export const membersOption = (what: 'write together' | 'are explained' = 'write together') =>
  new Option('--members <n>', `of a model with several members, how many ${what}`).argParser(
    positive,
  );

/** `--image-size`. */
export const imageSizeOption = () =>
  new Option('--image-size <pixels>', "side of the model's input, when not its own").argParser(
    positive,
  );

/** `--quantize`. */
export const quantizeOption = () =>
  new Option('--quantize <kind>', 'faster, less exact products').choices(['int8']);
