/** The `refcap` command: parses which subcommand is meant and loads only that one. */

import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { InputError, UsageError } from '../base/errors.ts';
import { settle } from '../base/process-settings.ts';
import { commands } from './commands.ts';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

const program = new Command('refcap')
  .description('Image captioning: caption, train, score.')
  .version(version)
  .exitOverride()
  .showHelpAfterError('(run with --help for the options)');

// A reader that has seen enough, such as head, closes the pipe: the command then ends quietly.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const [first, second] = process.argv.slice(2);
const wanted = first === 'help' ? second : first;
for (const { name, summary, load } of commands) {
  // The heavy modules behind a subcommand are imported only when it is the one that runs.
  if (wanted === name) program.addCommand((await load()).command.copyInheritedSettings(program));
  else program.command(name).summary(summary).description(summary);
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof InputError) {
    console.error(`refcap: ${error.message}`);
    const isVerbose = program.commands.some(
      (command) => command.opts<{ verbose?: true }>().verbose,
    );
    if (isVerbose) for (const detail of error.details) console.error(detail);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  } else {
    console.error(error);
    process.exitCode = 1;
  }
} finally {
  settle();
}
