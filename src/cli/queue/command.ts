/** `refcap queue`: shards that wait on a server, for workers that come and go. */
import { Command, Option } from '@commander-js/extra-typings';
import { captioningCommand } from '../options/captioning.ts';
import { styleOptions } from '../options/style.ts';
import { positive } from '../options/values.ts';
import { interruptible } from '../terminal/interrupt.ts';

const help = `
The queue is on a Redis or Valkey server: --redis, or REDIS_URL in the environment (which keeps a password out of the
list of processes). It holds the shards' addresses; pictures and captions stay where they are, in folders or stores that
all workers reach. A worker captions a shard as refcap caption --shards does, to the same bytes, and takes the next one.
Workers may come, go and be killed; a shard whose worker is gone is taken by another after --lease seconds. What fails is
tried again, then listed by refcap queue status with the reason (docs/scale.md).

Exit codes of work: 0 done, 1 failed, 2 wrong usage, 3 done but some shards or pictures failed, 130 interrupted.

Examples:
  refcap queue add 's3://data/x-{000000..000123}.tar'
  refcap queue work --output s3://data/captions --beams 3 --until-done
  refcap queue status`;

const redisOption = () =>
  new Option('--redis <address>', 'the server').env('REDIS_URL').default('redis://127.0.0.1:6379');
const queueOption = () =>
  new Option('--queue <name>', 'which of the queues there').default('refcap');

const add = new Command('add')
  .summary('add shards')
  .description('Add shards to the queue; those that were added before are left as they are.')
  .argument('<shards...>', "shards, by braces ('x-{000000..000123}.tar') or patterns")
  .addOption(redisOption())
  .addOption(queueOption())
  .option('--attempts <n>', 'how often a shard is tried', positive, 3)
  .option('--backoff <seconds>', 'wait before the second attempt, doubled each time', positive, 10)
  .action(async (shards, flags) => (await import('./manage.ts')).runAdd(shards, flags));

const work = captioningCommand('work')
  .summary('caption the shards of the queue')
  .description('Caption shards of the queue, one after the other, until stopped.')
  .requiredOption('-o, --output <folder>', 'a folder or an address such as s3://bucket/captions')
  .addOption(redisOption())
  .addOption(queueOption())
  .option('--concurrency <n>', 'shards at a time, each with a worker thread', positive, 1)
  .option('--until-done', 'end when no shard is left')
  .option('--lease <seconds>', 'a worker that is silent so long has lost its shards', positive, 30)
  .option('-q, --quiet', 'no lines about shards and no summary')
  .action(async (flags) => {
    const { runWork } = await import('./work.ts');
    await interruptible(
      (signal) => runWork(flags, signal),
      '. What was begun is back in the queue.',
    );
  });

for (const option of styleOptions())
  if (option.attributeName() !== 'appendToExisting') work.addOption(option);

const status = new Command('status')
  .summary('how many shards are where, and which are dead')
  .description(
    'Print how many shards wait, are at work and are done, and those given up with the reason.',
  )
  .addOption(redisOption())
  .addOption(queueOption())
  .addOption(
    new Option('-f, --format <format>', 'how it is printed')
      .choices(['text', 'json'] as const)
      .default('text' as const),
  )
  .action(async (flags) => (await import('./manage.ts')).runStatus(flags));

const retry = new Command('retry')
  .summary('put dead shards back')
  .description('Put the shards that were given up back into the queue, with all their attempts.')
  .addOption(redisOption())
  .addOption(queueOption())
  .action(async (flags) => (await import('./manage.ts')).runRetry(flags));

export const command = new Command('queue')
  .summary('caption shards that wait in a queue on Redis')
  .description(
    'Caption shards that wait in a queue on Redis or Valkey, with workers that come and go.',
  )
  .addHelpText('after', help);
for (const each of [add, work, status, retry]) command.addCommand(each);
