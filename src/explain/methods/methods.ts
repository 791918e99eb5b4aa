/** The methods of explanation, by name. */
import type { Method } from './method.ts';
import type { MethodName } from './names.ts';
import { occlusion, rise } from './of-pictures.ts';
import {
  attention,
  contrastiveLayerCam,
  gradientAttention,
  gradientInput,
  integrated,
  layerCam,
  relevance,
} from './of-tokens.ts';

export const methods: Readonly<Record<MethodName, Method>> = {
  'layer-cam': layerCam,
  'contrastive-layer-cam': contrastiveLayerCam,
  'gradient-attention': gradientAttention,
  relevance,
  attention,
  'gradient-input': gradientInput,
  'integrated-gradients': integrated,
  occlusion,
  rise,
};
