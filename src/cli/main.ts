/** The `refcap` command: parses which subcommand is meant and loads only that one. */

import '../base/process-settings.ts';
import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { settle } from '../base/process-settings.ts';
import { version } from '../base/version.ts';
import { commands } from './commands.ts';
import { reportFailure, reportStrayErrors } from './terminal/failure.ts';

const program = new Command('refcap')
  .description('Image captioning: caption, train, score.')
  .version(version())
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
