/** `refcap caption`: pictures in, one caption a line out. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { InputError } from '../base/errors.ts';
import { bundledModel, Captioner } from '../blip/captioner.ts';
import { listImages } from '../data/image-folder.ts';

export const command = new Command('caption')
  .summary('caption pictures')
  .description('Caption pictures: one line for each, its path and its caption.')
  .argument('<inputs...>', 'image files and folders')
  .option('-m, --model <model>', 'model folder, bundled model or hub id', bundledModel)
  .action(async (inputs: string[], flags: { model: string }) => {
    const files: string[] = [];
    for (const input of inputs) {
      const isFolder = await stat(input).then(
        (found) => found.isDirectory(),
        () => false,
      );
      if (!isFolder) files.push(input);
      else {
        const folder = await listImages(input);
        files.push(...folder.files.map((file) => join(input, file)));
      }
    }
    using captioner = await Captioner.load(flags.model);
    let failures = 0;
    for (const file of files) {
      try {
        const { caption } = await captioner.caption(file);
        process.stdout.write(`${file}\t${caption}\n`);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        failures += 1;
        process.stderr.write(`refcap: ${error.message}\n`);
      }
    }
    if (failures > 0) process.exitCode = 3;
  });
