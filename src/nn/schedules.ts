/** Learning-rate schedules: pure functions from the step to a factor of the peak rate. */

/** The factor at `step`, counted from 0. */
export type Schedule = (step: number) => number;

export type ScheduleName = 'constant' | 'linear' | 'cosine';

export interface ScheduleOptions {
  readonly name: ScheduleName;
  /** Steps in which the factor climbs from 0 to 1. */
  readonly warmupSteps: number;
  readonly totalSteps: number;
  /** The factor at the end (linear, cosine). Default 0. */
  readonly floor?: number;
  /** With this, the factor changes only every so many steps, as in recipes that schedule by epoch. */
  readonly every?: number;
}

/** Linear warm-up, then constant, linear decay or half a cosine (Loshchilov and Hutter 2017). */
export function createSchedule(options: ScheduleOptions): Schedule {
  const { name, warmupSteps, totalSteps, floor = 0, every = 1 } = options;
  return (step) => {
    if (step < warmupSteps) return (step + 1) / warmupSteps;
    const at = Math.floor(step / every) * every;
    const span = Math.max(1, totalSteps - warmupSteps);
    const done = Math.min(1, Math.max(0, at - warmupSteps) / span);
    switch (name) {
      case 'constant':
        return 1;
      case 'linear':
        return 1 - (1 - floor) * done;
      case 'cosine':
        return floor + ((1 - floor) * (1 + Math.cos(Math.PI * done))) / 2;
    }
  };
}
