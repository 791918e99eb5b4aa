/** Options of how a model is opened: what it writes with, and on what it computes. */
import { Command, Option } from '@commander-js/extra-typings';
import { bundledModel } from '../../hub/bundled.ts';
import { baseOption, offlineOption, revisionOption, verboseOption } from './hub.ts';
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

/** A command with the options of which model writes, and on what. */
export function modelCommand(name: string) {
  return new Command(name)
    .option('-m, --model <model>', 'model folder or file, bundled model, or hub id', bundledModel)
    .addOption(revisionOption())
    .addOption(offlineOption())
    .addOption(baseOption())
    .addOption(verboseOption())
    .addOption(deviceOption())
    .addOption(threadsOption('of each worker'));
}
