// Internet addresses as text: dotted quads, and RFC 5952 for IPv6.

/** Four bytes as "127.0.0.1". */
export function ipv4Text(bytes: Buffer, at = 0): string {
  return `${bytes[at] ?? 0}.${bytes[at + 1] ?? 0}.${bytes[at + 2] ?? 0}.${bytes[at + 3] ?? 0}`;
}

const mappedPrefix = '::ffff:';

/** Sixteen bytes as RFC 5952 writes them: lower case, the longest run of zeros as "::", mapped IPv4 addresses with dots. */
export function ipv6Text(bytes: Buffer, at = 0): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[at + i] ?? 0) << 8) | (bytes[at + i + 1] ?? 0));
  if (groups[5] === 0xffff && groups.slice(0, 5).every(group => group === 0)) return mappedPrefix + ipv4Text(bytes, at + 12);
  let bestAt = -1, bestLength = 1; // a single group of zeros is not shortened
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > bestLength) [bestAt, bestLength] = [i, length];
    i += length;
  }
  const text = (part: readonly number[]): string => part.map(group => group.toString(16)).join(':');
  return bestAt < 0 ? text(groups) : `${text(groups.slice(0, bestAt))}::${text(groups.slice(bestAt + bestLength))}`;
}

/** An IPv4 address in IPv6 clothes is the same address on the wire. */
export function unmapped(address: string): string {
  return address.startsWith(mappedPrefix) && address.includes('.') ? address.slice(mappedPrefix.length) : address;
}

export function isAnyAddress(address: string): boolean {
  const plain = unmapped(address);
  return plain === '0.0.0.0' || plain === '::';
}

/** Loopback addresses never leave their network namespace. */
export function isLoopback(address: string): boolean {
  const plain = unmapped(address);
  return plain === '::1' || (plain.startsWith('127.') && !plain.includes(':'));
}
