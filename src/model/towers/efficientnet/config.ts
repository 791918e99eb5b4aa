/** EfficientNet-Lite as a list of convolutions. */
import * as z from 'zod';

const size = z.number().int().positive();
const count = z.number().int().nonnegative();

export const efficientNetSchema = z.object({
  model_type: z.literal('efficientnet_lite'),
  image_size: size,
  hidden_size: size,
  layers: z
    .array(
      z.object({
        name: z.string(),
        /** Output channels. */
        channels: size,
        kernel: size,
        stride: size,
        groups: size,
        pads: z.tuple([count, count, count, count]),
        activation: z.literal('relu6').nullable(),
        residual: z.boolean().default(false),
      }),
    )
    .nonempty(),
});

/** EfficientNet-Lite, its layers in order. */
export type EfficientNetConfig = z.infer<typeof efficientNetSchema>;
