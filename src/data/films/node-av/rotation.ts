/** Display matrices of films: nine numbers of which the first two of each row turn and mirror, of 16 binary places. */

/** Degrees by which a picture is turned against the clock, from -180 to 180, as ffprobe has them. */
export function rotationOf(matrix: Int32Array): number {
  const [a, b, , c, d] = matrix;
  const scale = Math.hypot(a, c);
  const other = Math.hypot(b, d);
  if (scale === 0 || other === 0) return 0;
  return (-Math.atan2(b / other, a / scale) * 180) / Math.PI;
}

/** Filters that turn pictures upright, as the program ffmpeg does. */
export function turningFilters(matrix: Int32Array | undefined): string[] {
  if (!matrix) return [];
  const [a, , , c, d] = matrix;
  const angle = -Math.round(rotationOf(matrix));
  const turn = angle - 360 * Math.floor(angle / 360 + 0.9 / 360);
  const isNear = (other: number): boolean => Math.abs(turn - other) < 1;
  if (isNear(90)) return [`transpose=${c > 0 ? 'cclock_flip' : 'clock'}`];
  if (isNear(180)) return [...(a < 0 ? ['hflip'] : []), ...(d < 0 ? ['vflip'] : [])];
  if (isNear(270)) return [`transpose=${c < 0 ? 'clock_flip' : 'cclock'}`];
  if (isNear(0)) return d < 0 ? ['vflip'] : [];
  return [`rotate=${turn.toFixed(6)}*PI/180`];
}
