/** Recognises ICC profiles that are plain sRGB, whose pixels need no conversion. */

/** sRGB's colorants adapted to D50, as ICC profiles store them. */
const srgbColorants = {
  rXYZ: [0.43607, 0.22249, 0.01392],
  gXYZ: [0.38515, 0.71687, 0.09708],
  bXYZ: [0.14307, 0.06061, 0.7141],
};

/**
 * Whether `profile` describes sRGB: an RGB matrix profile with sRGB's colorants and tone curve.
 * Pixels under such a profile are left as they are, as every viewer shows them; a round trip through
 * a colour engine would move some by a level.
 */
export function isSrgbProfile(profile: Uint8Array): boolean {
  const view = new DataView(profile.buffer, profile.byteOffset, profile.byteLength);
  try {
    if (tag(view, 16) !== 'RGB ') return false;
    const tags = new Map<string, number>();
    const count = Math.min(view.getUint32(128), 100);
    for (let i = 0; i < count; i++) tags.set(tag(view, 132 + 12 * i), view.getUint32(136 + 12 * i));
    if (tags.has('A2B0')) return false; // colours come from a table, not from the matrix
    for (const [name, expected] of Object.entries(srgbColorants)) {
      const at = tags.get(name);
      if (at === undefined) return false;
      for (let i = 0; i < 3; i++)
        if (Math.abs(fixed(view, at + 8 + 4 * i) - expected[i]) > 0.002) return false;
    }
    return ['rTRC', 'gTRC', 'bTRC'].every((name) => {
      const at = tags.get(name);
      return at !== undefined && [0.1, 0.25, 0.5, 0.75].every((x) => nearSrgb(view, at, x));
    });
  } catch (error) {
    if (error instanceof RangeError) return false; // an offset beyond the end
    throw error;
  }
}

function nearSrgb(view: DataView, at: number, x: number): boolean {
  const srgb = x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
  return Math.abs(evaluateCurve(view, at, x) - srgb) < 0.002;
}

/** A tone curve at `x`: 'curv' (gamma or table) or 'para' (function types 0 and 3, the ones in use). */
function evaluateCurve(view: DataView, at: number, x: number): number {
  if (tag(view, at) === 'para') {
    const type = view.getUint16(at + 8);
    const [g, a, b, c, d] = [0, 1, 2, 3, 4].map((i) =>
      i === 0 || type === 3 ? fixed(view, at + 12 + 4 * i) : 0,
    );
    if (type === 0) return x ** g;
    return type === 3 ? (x >= d ? (a * x + b) ** g : c * x) : Number.NaN;
  }
  if (tag(view, at) !== 'curv') return Number.NaN;
  const entries = view.getUint32(at + 8);
  if (entries === 0) return x;
  if (entries === 1) return x ** (view.getUint16(at + 12) / 256);
  const position = x * (entries - 1);
  const i = Math.floor(position);
  const low = view.getUint16(at + 12 + 2 * i);
  const high = view.getUint16(at + 12 + 2 * Math.min(i + 1, entries - 1));
  return (low + (high - low) * (position - i)) / 65535;
}

function fixed(view: DataView, at: number): number {
  return view.getInt32(at) / 65536;
}

function tag(view: DataView, at: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
}
