/** Serves files and bytes from memory to a page, as a web server would. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { extname } from 'node:path';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

/** @param find the file or the bytes at a path, undefined where there is nothing */
export async function serve(
  find: (path: string) => string | Uint8Array | undefined,
): Promise<{ address: string; server: Server }> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const found = find(path);
    if (found === undefined) {
      response.writeHead(404).end();
      return;
    }
    const type = types[extname(path) || '.html'] ?? 'application/octet-stream';
    // Scripts and models may be used by pages of other sites.
    response.writeHead(200, { 'content-type': type, 'access-control-allow-origin': '*' });
    response.end(typeof found === 'string' ? readFileSync(found) : found);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const bound = server.address();
  if (typeof bound !== 'object' || bound === null) throw new Error('the server has no port');
  return { address: `http://127.0.0.1:${bound.port}`, server };
}
