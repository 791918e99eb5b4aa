/** The methods of explanation, by name. */
import type { Method } from './method.ts';
import { occlusion, rise } from './of-pictures.ts';
import { attention, gradientAttention, gradientInput, integrated } from './of-tokens.ts';

export const methods = {
  'gradient-attention': gradientAttention,
  attention,
  'gradient-input': gradientInput,
  'integrated-gradients': integrated,
  occlusion,
  rise,
} as const satisfies Record<string, Method>;

export type MethodName = keyof typeof methods;

export function isMethodName(name: string): name is MethodName {
  return Object.hasOwn(methods, name);
}

export const methodNames: readonly MethodName[] = Object.keys(methods).filter(isMethodName);

/** What docs/explain.md says speaks for it. */
export const defaultMethod: MethodName = 'gradient-attention';
