/**
 * Stops `refcap serve` under load at random moments, many times: `npx tsx scripts/stop-server.ts [ROUNDS] [SEED]`.
 * Prints a line a round; exits with 1 where an answer was lost or the exit code is not 0.
 */
import { createRandom } from '../src/base/random.ts';
import { stopUnderLoad } from '../test/cli/stop-server.ts';

const [rounds, seed] = [Number(process.argv[2] ?? 200), Number(process.argv[3] ?? 1)];
const random = createRandom(seed);
let wrong = 0;
for (let round = 1; round <= rounds; round++) {
  const moment = Math.round(1000 * random.next());
  const result = await stopUnderLoad(moment);
  const { exitCode, logged, received, broken } = result;
  const isRight = exitCode === 0 && broken === 0 && logged === received;
  wrong += isRight ? 0 : 1;
  console.log(`${round}: after ${moment} ms: ${JSON.stringify(result)}${isRight ? '' : ' WRONG'}`);
}
console.log(`${rounds} rounds, ${wrong} wrong`);
process.exitCode = wrong === 0 ? 0 : 1;
