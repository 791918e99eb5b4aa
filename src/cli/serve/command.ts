/** `refcap serve`: captions over HTTP. */

import { Option } from '@commander-js/extra-typings';
import { logFormats } from '../../server/http/log.ts';
import { imageSizeOption, membersOption, modelCommand, quantizeOption } from '../options/model.ts';
import { portNumber, positive, repeated, whole } from '../options/values.ts';

const help = `
The server answers this machine alone, unless --host says otherwise: then it asks for a token, which clients send as
Authorization: Bearer TOKEN. It speaks its own interface, and those of OpenAI, Ollama, PhotoPrism and Hugging Face:
docs/serve.md shows them, GET /docs lists them.

SIGTERM and Ctrl-C stop it: what was taken is finished first. A second one ends it at once.

Examples:
  refcap serve
  refcap serve --model Salesforce/blip-image-captioning-base --port 11434
  refcap serve --host 0.0.0.0 --token token.txt

Exit codes: 0 stopped, 1 failed, 2 wrong usage.`;

export const command = modelCommand('serve')
  .summary('answer requests for captions over HTTP')
  .description('Caption pictures that others send over HTTP.')
  .option('--workers <n>', 'batches at a time, each in a thread', positive, 1)
  .addOption(imageSizeOption())
  .addOption(quantizeOption())
  .addOption(membersOption())
  .option('--concepts <file>', 'names that may appear, a line each (of models with concepts)')
  .option('--host <address>', 'address to listen at; 0.0.0.0: all of this machine', '127.0.0.1')
  .option('--port <n>', 'port to listen at; 0: any that is free', portNumber, 8080)
  .addOption(
    new Option('--token <token>', 'what clients must show: the token, or a file that holds it').env(
      'REFCAP_TOKEN',
    ),
  )
  .option('--no-token', 'answer everybody who can reach --host')
  .option('--cors <origin>', 'pages of this origin may use the server; may be repeated', repeated)
  .option('--allow-url', 'fetch http(s) addresses in requests')
  .option('--max-batch <n>', 'pictures at a time', positive, 8)
  .option('--max-delay <ms>', 'how long a batch waits for pictures on their way', whole, 10)
  .option('--queue <n>', 'pictures that may wait', positive, 64)
  .option('--timeout <s>', 'how long a picture may wait', positive, 60)
  .option('--max-body <bytes>', 'largest request', positive, 32 * 2 ** 20)
  .option('--max-pixels <n>', 'largest picture, in pixels', positive, 2 ** 26)
  .addOption(
    new Option('--log-format <format>', 'how requests are logged, on the standard error')
      .choices(logFormats)
      .default('text'),
  )
  .addHelpText('after', help)
  .action(async (flags) => {
    const { runServe } = await import('./run.ts');
    await runServe(flags);
  });
