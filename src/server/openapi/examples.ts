/** A body for each request that takes pictures, which the server answers as it stands. */

/** 1 x 1, PNG. */
const picture =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const address = `data:image/png;base64,${picture}`;

/** By path. @param model the name of the server's */
export function exampleBodies(model: string): Readonly<Record<string, unknown>> {
  const part = { type: 'image_url', image_url: { url: address } };
  const input = { type: 'input_image', image_url: address };
  return {
    '/v1/captions': { image: picture, beams: 2, words: true },
    '/v1/explanations': { image: picture, method: 'layer-cam' },
    '/v1/chat/completions': { model, messages: [{ role: 'user', content: [part] }] },
    '/v1/responses': { model, input: [{ role: 'user', content: [input] }] },
    '/api/generate': { model, images: [picture], stream: false },
    '/api/chat': { model, messages: [{ role: 'user', images: [picture] }], stream: false },
    '/api/show': { model },
    '/api/v1/vision/caption': { id: '1', images: [address] },
    '/models/{model}': { inputs: picture },
    '/': { inputs: picture },
  };
}
