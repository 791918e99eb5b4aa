/** A proxy on 127.0.0.1: requests for http, tunnels for https, with a password or a refusal on request. */
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';

export class FakeProxy {
  /** What it was asked for: GET ADDRESS or CONNECT HOST:PORT. */
  asked: string[] = [];
  /** The value that proxy-authorization must have. */
  authorization: string | undefined;
  /** The status that tunnels are refused with. */
  refusal: number | undefined;
  /** Where an address really leads: an origin. */
  route: (host: string) => string = (host) => `http://${host}`;
  url = '';
  readonly #server: Server = createServer((incoming, response) => {
    this.asked.push(`${incoming.method} ${incoming.url}`);
    if (this.#isStranger(incoming.headers['proxy-authorization'])) {
      response.writeHead(407).end();
      return;
    }
    const url = new URL(incoming.url ?? '');
    const { 'proxy-authorization': _, ...headers } = incoming.headers;
    request(
      new URL(url.pathname + url.search, this.route(url.host)),
      { method: incoming.method ?? 'GET', headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    ).end();
  });

  async start(): Promise<void> {
    this.#server.on('connect', (incoming, socket) => {
      this.asked.push(`CONNECT ${incoming.url}`);
      socket.on('error', () => {});
      const stranger = this.#isStranger(incoming.headers['proxy-authorization']);
      const status = stranger ? 407 : this.refusal;
      if (status !== undefined) {
        socket.end(`HTTP/1.1 ${status} no\r\n\r\n`);
        return;
      }
      const target = new URL(this.route(incoming.url ?? ''));
      const through = connect(Number(target.port), target.hostname, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        through.pipe(socket).pipe(through);
      });
      through.on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #isStranger(authorization: string | undefined): boolean {
    return this.authorization !== undefined && authorization !== this.authorization;
  }
}
