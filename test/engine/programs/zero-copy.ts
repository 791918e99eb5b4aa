/** Prints by how much memory grows when a run reads a tensor that is there already. */
import { input } from '../../../src/engine/graph/graph.ts';
import { reduceSum } from '../../../src/engine/graph/ops.ts';
import { Session } from '../../../src/engine/runtime/session.ts';
import { tensor } from '../../../src/engine/runtime/tensor.ts';

const count = 1 << 24; // 64 MiB
const x = tensor('f32', [count], new Float32Array(count).fill(1));
using session = await Session.open({ y: reduceSum(input('x', 'f32', ['n'])) }, { threads: 1 });
await session.run({ x: tensor('f32', [4]) });
const before = process.resourceUsage().maxRSS;
const { y } = await session.run({ x });
const bytes = (process.resourceUsage().maxRSS - before) * 1024;
if (y.data[0] !== count) throw new Error('the sum is wrong');
process.stdout.write(`${JSON.stringify({ bytes, size: count * 4 })}\n`);
