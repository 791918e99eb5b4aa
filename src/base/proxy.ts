/** Requests through the proxy that the environment names: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, also in lower case. */
import { BlockList, isIP } from 'node:net';
import { Agent, type Dispatcher, Pool, ProxyAgent, fetch as undiciFetch } from 'undici';
import { InputError } from './errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const schemes = ['http:', 'https:', 'socks5:', 'socks:'];

/**
 * The proxy for an address, or undefined where it is to be reached directly. The variable of the address's scheme wins
 * over ALL_PROXY, lower case over upper case, as in curl.
 * @throws InputError naming the variable whose value is no proxy's address
 */
export function proxyFor(url: URL, env: Environment = process.env): URL | undefined {
  const name = variables(url.protocol.slice(0, -1)).find((candidate) => env[candidate]?.trim());
  const value = name === undefined ? undefined : env[name]?.trim();
  if (!value || isExcepted(url, env.no_proxy ?? env.NO_PROXY ?? '')) return undefined;
  const address = value.includes('://') ? value : `http://${value}`;
  if (URL.canParse(address)) {
    const proxy = new URL(address.replace(/^socks5h:/, 'socks5:'));
    if (schemes.includes(proxy.protocol) && proxy.hostname !== '') return proxy;
  }
  throw new InputError(
    `${name}: this is not the address of a proxy; write it as http://host:port (or https://, socks5://).`,
  );
}

function variables(scheme: string): string[] {
  return [`${scheme}_proxy`, 'all_proxy'].flatMap((name) => [name, name.toUpperCase()]);
}

/** Whether NO_PROXY names the host: itself or a domain that it is in, an IP network, either with a port, or `*`. */
function isExcepted(url: URL, list: string): boolean {
  const host = bare(url.hostname.toLowerCase());
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === '*') return true;
    const [, name, only] = /^(\[[^\]]+\]|[^:]+|[^[]*:[^\]]*:.*?)(?::(\d+))?$/.exec(entry) ?? [];
    if (!name || (only !== undefined && only !== port)) return false;
    const plain = bare(name.toLowerCase()).replace(/^\*?\./, '');
    return host === plain || host.endsWith(`.${plain}`) || isInNetwork(host, plain);
  });
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}

function isInNetwork(host: string, network: string): boolean {
  const [, address, bits] = /^([\da-f.:]+)\/(\d+)$/.exec(network) ?? [];
  const version = isIP(host);
  if (address === undefined || version === 0 || isIP(address) !== version) return false;
  if (Number(bits) > (version === 4 ? 32 : 128)) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(address, Number(bits), family);
  return list.check(host, family);
}

const agents = new Map<string, ProxyAgent>();

/** What sends requests through a proxy: a tunnel for https, the proxy's own requests for http. */
export function proxyAgent(proxy: URL): Dispatcher {
  let agent = agents.get(proxy.href);
  if (!agent) {
    const { username, password } = proxy;
    // undici sends a user name only together with a password.
    const token = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    agent = new ProxyAgent({
      uri: proxy.href,
      proxyTunnel: false,
      ...(username !== '' &&
        proxy.protocol.startsWith('http') && {
          token: `Basic ${Buffer.from(token).toString('base64')}`,
        }),
    });
    agents.set(proxy.href, agent);
  }
  return agent;
}

/** An error whose message is the reason why a request failed, with the proxy (not its password) where it had one. */
export function describeFault(error: unknown, proxy: URL | undefined): unknown {
  const causes: Error[] = [];
  for (let at = error; at instanceof Error; at = at.cause) causes.push(at);
  const cause = causes.at(-1);
  if (!proxy || !cause) return cause ?? error;
  const [, status] = /^Proxy response \((\d+)\)/.exec(cause.message) ?? [];
  const code = 'code' in cause ? String(cause.code) : cause.message;
  const answer =
    status === '407'
      ? 'it wants another user name and password: http://user:password@host:port'
      : `it answers ${status}`;
  return new Error(`through the proxy ${proxy.host}: ${status === undefined ? code : answer}`, {
    cause,
  });
}

/**
 * `fetch`, through the proxies that the environment names, if any; each redirect by its own address.
 * @throws as `fetch`; InputError when a variable is no proxy's address
 */
export function environmentFetch(env: Environment = process.env): typeof fetch {
  if (![...variables('http'), ...variables('https')].some((name) => env[name]?.trim()))
    return fetch;
  const dispatcher = new Agent({
    factory: (origin, options) => {
      const proxy = proxyFor(new URL(origin), env);
      return proxy ? proxyAgent(proxy) : new Pool(origin, options);
    },
  });
  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    // Before undici asks, which would wrap what is thrown.
    const proxy = proxyFor(url, env);
    const { method, headers, signal, redirect, body } = request;
    const response = await undiciFetch(url, {
      method,
      headers: [...headers],
      signal,
      redirect,
      ...(body && { body: new Uint8Array(await new Response(body).arrayBuffer()) }),
      dispatcher,
    }).catch((error: unknown) => {
      if (signal.aborted) throw error;
      throw new TypeError('fetch failed', { cause: describeFault(error, proxy) });
    });
    const { status, statusText } = response;
    return new Response(response.body, { status, statusText, headers: [...response.headers] });
  };
}
