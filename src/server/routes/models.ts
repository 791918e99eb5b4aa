/** GET /v1/models, in OpenAI's form: https://platform.openai.com/docs/api-reference/models/list */
import type { RouteContext, ServerContext } from '../context.ts';

export function listModels(
  { model: { name, modified, imageSize, size } }: ServerContext,
  context: RouteContext,
): Response {
  const created = Math.floor(modified.getTime() / 1000);
  return context.json({
    object: 'list',
    data: [
      {
        id: name,
        object: 'model',
        created,
        owned_by: 'refcap',
        image_size: imageSize,
        bytes: size,
      },
    ],
  });
}
