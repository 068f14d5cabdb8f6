/** IP addresses as the bytes that they are on the wire. */

/** IPv4 or IPv6. */
export type AddressBytes = 4 | 16;

const groups = 8;
const groupBytes = 2;
/** `::ffff:0:0/96`: IPv4 addresses written as IPv6. */
const mappedPrefix = Buffer.from("00000000000000000000ffff", "hex");

/** The text of 4 or 16 bytes; IPv4 in the guise of IPv6 as IPv4, IPv6 with its longest run of zeros left out. */
export function formatAddress(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join(".");
  if (bytes.subarray(0, mappedPrefix.length).equals(mappedPrefix)) return formatAddress(bytes.subarray(12));
  const numbers = Array.from({ length: groups }, (_, at) => bytes.readUInt16BE(at * groupBytes));
  const run = longestZeroRun(numbers);
  const text = (from: number, to: number) =>
    numbers
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(":");
  return run.length < 2 ? text(0, groups) : `${text(0, run.at)}::${text(run.at + run.length, groups)}`;
}

/** `address` must be a valid one (`net.isIP`); an IPv4 address is mapped when 16 bytes are wanted. Zones are left out. */
export function parseAddress(address: string, size: AddressBytes): Buffer {
  if (!address.includes(":")) {
    const bytes = Buffer.from(address.split(".").map(Number));
    return size === 4 ? bytes : Buffer.concat([mappedPrefix, bytes]);
  }
  const [plain = ""] = address.split("%");
  const [head = "", tail] = plain.split("::");
  const before = groupsOf(head);
  const after = groupsOf(tail ?? "");
  const zeros: number[] = Array.from({ length: Math.max(0, groups - before.length - after.length) }, () => 0);
  const bytes = Buffer.alloc(groups * groupBytes);
  for (const [at, group] of [...before, ...zeros, ...after].entries()) bytes.writeUInt16BE(group, at * groupBytes);
  return size === 16 ? bytes : bytes.subarray(12);
}

/** Groups of a part of an IPv6 address, whose last may be written as IPv4. */
function groupsOf(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const bytes = Buffer.from(group.split(".").map(Number));
    return [bytes.readUInt16BE(0), bytes.readUInt16BE(2)];
  });
}

function longestZeroRun(numbers: readonly number[]): { readonly at: number; readonly length: number } {
  let longest = { at: 0, length: 0 };
  for (let at = 0; at < numbers.length; ) {
    let end = at;
    while (numbers[end] === 0) end++;
    if (end - at > longest.length) longest = { at, length: end - at };
    at = Math.max(end, at + 1);
  }
  return longest;
}
