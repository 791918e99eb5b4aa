/** For whom a model may be exported, and formats of its weights. */

export const layoutNames = ['transformers.js', 'onnx'] as const;
export type LayoutName = (typeof layoutNames)[number];

export const exportDtypes = ['f32', 'f16', 'int8', 'int4'] as const;
export type ExportDtype = (typeof exportDtypes)[number];
