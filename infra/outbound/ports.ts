/** The first and the last of some ports. */
export type PortRange = readonly [from: number, to: number];

/**
 * Ports of servers that would take a POST for commands of their own protocol, or for an attack: mail, file, remote shell, directory and chat
 * servers, databases, caches. Most of them are those that browsers refuse as well (https://fetch.spec.whatwg.org/#port-blocking).
 */
export const DENIED_PORTS =
  '7,19-25,53,69,79,110,111,119,123,135-139,143,161,179,389,427,445,465,512-515,587,636,873,993,995,1433,1521,2049,3306,3389,5060,5061,5432,5900,6000,6379,6667,11211,27017';

/**
 * Reads ports and ranges of them (`25,512-515`), separated by commas.
 * @throws Error that says what is accepted
 */
export function parsePorts(text: string): readonly PortRange[] {
  return text.split(',').map((part): PortRange => {
    const [, from, to = from] = /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(part) ?? [];
    const range: PortRange = [Number(from), Number(to)];
    if (!(range[0] >= 1 && range[0] <= range[1] && range[1] <= 65_535)) {
      throw new Error(`must be ports from 1 to 65535 such as 25,512-515, not "${part}"`);
    }
    return range;
  });
}
