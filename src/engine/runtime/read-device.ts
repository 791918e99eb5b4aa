/** Reads values that a session kept on its device. */
import { input } from '../graph/graph.ts';
import type { DeviceTensor } from './feeds.ts';
import { Session } from './session.ts';
import type { Tensor } from './tensor.ts';

/**
 * Copies values from a device into memory. Each call opens a small session, so read what a loop
 * needs every time as an ordinary output instead.
 * @throws InputError when the device is not there
 */
export async function readFromDevice(
  device: string,
  values: Readonly<Record<string, DeviceTensor>>,
): Promise<Record<string, Tensor>> {
  const fed = Object.entries(values).map(([name, value]) => [`device ${name}`, value] as const);
  const copies = Object.entries(values).map(([name, { dtype, shape }]) => [
    name,
    input(`device ${name}`, dtype, shape),
  ]);
  using session = await Session.open(Object.fromEntries(copies), { device });
  return await session.run(Object.fromEntries(fed));
}
