/** The `refcap` command: parses which subcommand is meant and loads only that one. */

import '../base/process-settings.ts';
import { createRequire } from 'node:module';
import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { settle } from '../base/process-settings.ts';
import { commands } from './commands.ts';
import { reportFailure, reportStrayErrors } from './terminal/failure.ts';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

const program = new Command('refcap')
  .description('Image captioning: caption, train, score.')
  .version(version)
  .exitOverride()
  .showHelpAfterError('(run with --help for the options)');

reportStrayErrors();

/** The command, and those below it, with the settings of the one above: how wrong usage ends, too. */
function inheriting(command: CommandUnknownOpts, above: CommandUnknownOpts): CommandUnknownOpts {
  command.copyInheritedSettings(above);
  for (const below of command.commands) inheriting(below, command);
  return command;
}

const [first, second] = process.argv.slice(2);
const wanted = first === 'help' ? second : first;
for (const { name, summary, load } of commands) {
  // The heavy modules behind a subcommand are imported only when it is the one that runs.
  if (wanted === name) program.addCommand(inheriting((await load()).command, program));
  else program.command(name).summary(summary).description(summary);
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error);
} finally {
  settle();
}
