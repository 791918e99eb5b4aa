/** Which addresses belong to the public internet. */
import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

const privateAddresses = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  privateAddresses.addSubnet(network, bits, 'ipv4');
// Of IPv6 only 2000::/3 is global; in it, tunnels and documentation are left out.
const globalV6 = new BlockList();
globalV6.addSubnet('2000::', 3, 'ipv6');
const specialV6 = new BlockList();
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  specialV6.addSubnet(network, bits, 'ipv6');

/** Whether an IP address belongs to the public internet. */
export function isPublicAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const plain = mapped ?? address;
  if (isIP(plain) === 4) return !privateAddresses.check(plain, 'ipv4');
  if (isIP(plain) !== 6) return false;
  return globalV6.check(plain, 'ipv6') && !specialV6.check(plain, 'ipv6');
}

/** Of a name that the proxy will resolve; where this machine cannot, the proxy decides. */
export async function mayBePublic(
  host: string,
  isAllowed: (address: string) => boolean,
): Promise<boolean> {
  if (isIP(host) !== 0) return isAllowed(host);
  if (!host.replace(/\.$/, '').includes('.') || /(^|\.)(localhost|local|internal)\.?$/i.test(host))
    return false;
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.every((one) => isAllowed(one.address));
}
