/** GET /api/tags, POST /api/show and GET /api/version: what Ollama's clients ask before they send a picture. */
import { createHash } from 'node:crypto';
import { version } from '../../base/version.ts';
import type { RouteContext, ServerContext } from '../context.ts';
import { parseJsonBody, readBody } from '../http/body.ts';
import { validate } from '../http/validate.ts';
import { checkModelName, type ServedModel } from '../model.ts';
import { showSchema } from './schema.ts';

/** The model's name as Ollama writes it. */
export function ollamaName({ name }: ServedModel): string {
  return `${name}:latest`;
}

const details = {
  parent_model: '',
  format: 'safetensors',
  family: 'blip',
  families: ['blip'],
  parameter_size: '',
  quantization_level: '',
};

export function getTags({ model }: ServerContext, context: RouteContext): Response {
  const name = ollamaName(model);
  const { size, modified } = model;
  // Of the description: clients compare it to see whether a model has changed.
  const digest = createHash('sha256').update(JSON.stringify(model)).digest('hex');
  const one = { name, model: name, modified_at: modified.toISOString(), size, digest, details };
  return context.json({ models: [one] });
}

export async function postShow(server: ServerContext, context: RouteContext): Promise<Response> {
  const body = await readBody(context.req.raw, server.maxBody);
  const { model, name } = validate(showSchema, parseJsonBody(body));
  checkModelName(model ?? name ?? '', server.model);
  return context.json({
    modelfile: '',
    parameters: '',
    template: '',
    details,
    model_info: {
      'general.architecture': 'blip',
      'blip.vision.image_size': server.model.imageSize,
    },
    capabilities: ['completion', 'vision'],
    modified_at: server.model.modified.toISOString(),
  });
}

export function getVersion(context: RouteContext): Response {
  return context.json({ version: version() });
}
