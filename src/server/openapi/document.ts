/** The server's description in OpenAPI 3.1, made of the schemas that check requests: https://spec.openapis.org/oas/v3.1.0 */
import * as z from 'zod';
import { version } from '../../base/version.ts';
import { exampleBodies } from './examples.ts';
import { type Operation, operations } from './operations.ts';

type Json = Readonly<Record<string, unknown>>;

/** @param model the name of the server's, for examples */
export function openApiDocument(model: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of operations)
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method]: described(operation, model),
    };
  return {
    openapi: '3.1.0',
    info: {
      title: 'refcap',
      version: version(),
      description:
        'Captions for pictures. The model follows no instructions: what of a request had no effect is listed in the header refcap-ignored.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{ token: [] }, {}],
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    paths,
  };
}

/** A JSON schema. @param io whether it describes what is sent or what is answered */
export function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}

function described(operation: Operation, model: string): Json {
  const { method, path, group, summary, query, error, isOpen } = operation;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', minLength: 1 },
    ...(name === 'model' && { example: model }),
  }));
  const inQuery = Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    schema: schemaOf(schema, 'input'),
  }));
  const parameters = [...inPath, ...inQuery];
  return {
    operationId: `${method}${path.replace(/\W+(\w?)/g, (_, letter: string) => letter.toUpperCase())}`,
    tags: [group],
    summary,
    ...(isOpen && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(operation.body && { requestBody: requestBody(operation, model) }),
    responses: {
      200: { description: 'what was asked for', content: answers(operation) },
      ...(error && {
        default: {
          description: 'an error, in a sentence; Retry-After where it is worth trying again',
          content: { 'application/json': { schema: schemaOf(error, 'output') } },
        },
      }),
    },
  };
}

function requestBody({ path, body, query, takes }: Operation, model: string): Json {
  const example = exampleBodies(model)[path];
  const bytes = { schema: { type: 'string', format: 'binary' } };
  const form = {
    schema: {
      type: 'object',
      properties: {
        image: { type: 'array', items: { type: 'string', format: 'binary' } },
        ...(query && Object(schemaOf(query, 'input').properties)),
      },
    },
  };
  return {
    required: true,
    content: {
      ...(body && { 'application/json': { schema: schemaOf(body, 'input'), example } }),
      ...(takes === 'forms and bytes' && { 'multipart/form-data': form }),
      ...(takes && { 'image/*': bytes, 'application/octet-stream': bytes }),
    },
  };
}

function answers({ answer, answerType = 'application/json', stream }: Operation): Json {
  const schema = answer ? schemaOf(answer, 'output') : {};
  return {
    [answerType]: { schema: answerType === 'application/json' ? schema : { type: 'string' } },
    // A schema would be of each of its events, which differ.
    ...(stream && { [stream]: {} }),
  };
}
