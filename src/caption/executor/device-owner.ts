/** One thread of a process owns a GPU: sessions of two threads on it can end the process. */
import { InputError, UsageError } from '../../base/errors.ts';

interface Owner {
  readonly kind: 'caller' | 'worker';
  uses: number;
}

const owners = new Map<string, Owner>();

/**
 * Claims a device until the claim is disposed. 'cpu' is everybody's; another belongs to the caller's thread, where any
 * number of models may be, or to one worker.
 * @throws UsageError for more than one worker; InputError while another thread has the device
 */
export function claimDevice(device: string, workers: number): Disposable {
  if (device === 'cpu') return { [Symbol.dispose]: () => undefined };
  if (workers > 1)
    throw new UsageError(
      `workers (${workers}): the device '${device}' has one owner, so at most one worker; use 1, or the device 'cpu'.`,
    );
  const kind = workers === 0 ? 'caller' : 'worker';
  const owner = owners.get(device) ?? { kind, uses: 0 };
  if (owner.uses > 0 && (kind === 'worker' || owner.kind === 'worker'))
    throw new InputError(
      `the device '${device}' belongs to another captioner of this process, in another thread; dispose that one first, or open both without workers.`,
    );
  const claimed: Owner = owner.uses > 0 ? owner : { kind, uses: 0 };
  claimed.uses += 1;
  owners.set(device, claimed);
  let isHeld = true;
  return {
    [Symbol.dispose]: () => {
      if (isHeld) claimed.uses -= 1;
      isHeld = false;
    },
  };
}
