/** Prints the peak memory (bytes) of a deep stack's gradient: `plain`, or with each block `marked`. */
import { gradients } from '../../../src/engine/graph/gradient.ts';
import { checkpoint, input, parameter, type Value } from '../../../src/engine/graph/graph.ts';
import { add, cos, exp, gelu, mul, reduceMean, sin, tanh } from '../../../src/engine/graph/ops.ts';
import { Session } from '../../../src/engine/runtime/session.ts';
import { tensor } from '../../../src/engine/runtime/tensor.ts';

const size = 1 << 21; // 8 MiB a value
const blocks = 12;
const wrap = process.argv[2] === 'marked' ? checkpoint : (build: () => Value) => build();
const x = input('x', 'f32', [size]);
const w = parameter('w', [size]);
let h = x;
for (let i = 0; i < blocks; i++)
  h = wrap(() => add(h, sin(mul(tanh(gelu(cos(mul(h, w)))), exp(sin(h))))));
const [dw] = gradients(reduceMean(h), [w]);
const before = process.memoryUsage().rss;
{
  using session = await Session.open({ dw }, { threads: 1 });
  await session.run({
    x: tensor('f32', [size], new Float32Array(size).fill(0.3)),
    w: tensor('f32', [size], new Float32Array(size).fill(0.7)),
  });
}
const peak = process.resourceUsage().maxRSS * 1024;
process.stdout.write(`${JSON.stringify({ bytes: peak - before })}\n`);
