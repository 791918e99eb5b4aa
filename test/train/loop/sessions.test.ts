/** The sessions of a run, counted: whichever cannot be opened, none of the others stays. */
import { describe, expect, it, vi } from 'vitest';
import { Session } from '../../../src/engine/runtime/session.ts';
import { tinyRuns } from '../tiny-runs.ts';

const { at, train } = tinyRuns();

describe('a session that cannot be opened', () => {
  it('leaves none of the others open', async () => {
    await train('start', { epochs: 1 });
    const scst = {
      epochs: 1,
      stage: 'scst',
      scst: { samples: 2 },
      refinement: {},
      alignment: {},
    };
    const start = { model: at('start/best') };
    const { open } = Session;
    const { dispose } = Session.prototype;
    const attempt = async (failing: number) => {
      let opened = 0;
      const live = new Set<Session>();
      vi.spyOn(Session, 'open').mockImplementation(async (outputs, options) => {
        opened += 1;
        if (opened === failing) throw new Error('no memory');
        const session = await open.call(Session, outputs, options);
        live.add(session);
        return session;
      });
      vi.spyOn(Session.prototype, 'dispose').mockImplementation(function (this: Session) {
        live.delete(this);
        dispose.call(this);
      });
      const failure = await train(`attempt-${failing}`, scst, { start }).catch(String);
      vi.restoreAllMocks();
      expect(live.size, `session ${failing}`).toBe(0);
      return typeof failure === 'string' ? failure : opened;
    };
    // Two of the optimizer, three of the validation, two that draw, two that train.
    expect(await attempt(Number.POSITIVE_INFINITY)).toBe(9);
    for (let failing = 1; failing <= 9; failing++)
      expect(await attempt(failing)).toContain('no memory');
  });
});
