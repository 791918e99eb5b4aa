/** The vision towers: one row a kind, by `model_type` of a config's `vision_config`. */
import type { EfficientNetConfig } from './efficientnet/config.ts';
import { efficientNet } from './efficientnet/efficientnet.ts';
import type { Tower, TowerKind } from './tower.ts';
import type { VitConfig } from './vit/config.ts';
import { vit } from './vit/vit.ts';

/** The config of each kind. */
interface TowerConfigs {
  blip_vision_model: VitConfig;
  efficientnet_lite: EfficientNetConfig;
}

export type TowerName = keyof TowerConfigs;
/** A config of one of these kinds; of any by default. */
export type VisionConfig<Name extends TowerName = TowerName> = {
  [Each in Name]: TowerConfigs[Each] & { readonly model_type: Each };
}[Name];

export const towers: { readonly [Name in TowerName]: TowerKind<VisionConfig<Name>> } = {
  blip_vision_model: vit,
  efficientnet_lite: efficientNet,
};

export const towerNames = Object.keys(towers).filter(isTowerName);

export function isTowerName(name: unknown): name is TowerName {
  return typeof name === 'string' && Object.hasOwn(towers, name);
}

/** The tower of a checked config. */
export function towerOf<Name extends TowerName>(config: VisionConfig<Name>): Tower {
  return towers[config.model_type].of(config);
}
