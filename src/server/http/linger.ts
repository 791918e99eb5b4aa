/** Connections whose last request is answered before all of it has come, and their end. */
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

/** Milliseconds: as nginx's lingering_timeout and lingering_time, and shorter, as a server that stops waits for them. */
export interface LingerLimits {
  /** Without a byte of the rest. */
  readonly silence: number;
  /** In all. */
  readonly longest: number;
}

const defaults: LingerLimits = { silence: 2_000, longest: 10_000 };

/**
 * Has the connection closed in stages where the request is answered before all of its body has come, such as a
 * refused one (RFC 9112, section 9.6): the answer and its end are sent, the rest of the body is read and thrown
 * away, and only then is the connection gone. Node closes it at once, the rest meets a reset, and a reset may
 * take from the client the answer that it has not read yet.
 */
export function linger(incoming: IncomingMessage, limits: LingerLimits = defaults): void {
  const { socket } = incoming;
  let lingers = false;
  // What Node calls after the last answer of a connection.
  socket.destroySoon = () => {
    if (incoming.complete || socket.destroyed) Socket.prototype.destroySoon.call(socket);
    else if (!lingers) {
      lingers = true;
      closeInStages(incoming, limits);
    }
  };
}

function closeInStages(incoming: IncomingMessage, { silence, longest }: LingerLimits): void {
  const { socket } = incoming;
  const close = (): void => Socket.prototype.destroySoon.call(socket);
  const quiet = setTimeout(close, silence);
  const late = setTimeout(close, longest);
  socket.once('close', () => {
    clearTimeout(quiet);
    clearTimeout(late);
  });
  socket.end();
  // Whoever read the body and stopped would have it wait.
  incoming.removeAllListeners('data');
  incoming.on('data', () => quiet.refresh());
  incoming.once('end', close);
  incoming.resume();
}
