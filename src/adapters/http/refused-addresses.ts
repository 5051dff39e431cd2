import { BlockList, isIP } from 'node:net';

/** Metadata services hand out the credentials of the machine; a check that can be led there could read them into a report. */
const REFUSED = new BlockList();
REFUSED.addSubnet('169.254.0.0', 16, 'ipv4'); // EC2, ECS, Azure and Google Cloud metadata
REFUSED.addSubnet('fe80::', 10, 'ipv6');
REFUSED.addAddress('fd00:ec2::254', 'ipv6'); // EC2 metadata
REFUSED.addAddress('fd20:ce::254', 'ipv6'); // Google Cloud metadata
REFUSED.addAddress('100.100.100.200', 'ipv4'); // Alibaba Cloud metadata
REFUSED.addAddress('192.0.0.192', 'ipv4'); // Oracle Cloud metadata
REFUSED.addAddress('168.63.129.16', 'ipv4'); // Azure's host: certificates and settings of the machine
REFUSED.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6'); // 169.254.0.0/16 through NAT64 (RFC 6052)
REFUSED.addSubnet('::a9fe:0', 112, 'ipv6'); // the same in the old compatible form (RFC 4291 2.5.5.1)
REFUSED.addSubnet('2002:a9fe::', 32, 'ipv6'); // the same through 6to4 (RFC 3056)

/** Also finds an IPv4 address inside `::ffff:0:0/96`. Anything that is not an address is not refused: its resolution is judged. */
export function isRefusedAddress(address: string): boolean {
  const bare = address.replace(/^\[|\]$|%.*$/g, '');
  const family = isIP(bare);
  return family !== 0 && REFUSED.check(bare, family === 6 ? 'ipv6' : 'ipv4');
}
