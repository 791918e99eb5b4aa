/** The names of the methods of explanation, for whoever need not run them. */

export const methodNames = [
  'gradient-attention',
  'attention',
  'gradient-input',
  'integrated-gradients',
  'occlusion',
  'rise',
] as const;

export type MethodName = (typeof methodNames)[number];

const known: ReadonlySet<string> = new Set(methodNames);

export function isMethodName(name: string): name is MethodName {
  return known.has(name);
}

/** What docs/explain.md says speaks for it. */
export const defaultMethod: MethodName = 'gradient-attention';
