const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** What a JSON text looks like before it is taken apart: levels of objects and lists, and members that its objects have as they are written. */
export interface Shape {
  readonly depth: number;
  readonly members: number;
}

/** @param text that JSON.parse takes */
export function shapeOf(text: string): Shape {
  let depth = 0;
  let level = 0;
  let members = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === COLON) members += 1;
    // `[` and `{`, `]` and `}` are the same but for this bit.
    else if ((code | 0x20) === 0x7b) depth = Math.max(depth, ++level);
    else if ((code | 0x20) === 0x7d) level -= 1;
  }
  return { depth, members };
}

/** Where the quote is that ends the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  for (;;) {
    at = text.indexOf('"', at);
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return at;
    at += 1;
  }
}

/** How many members the objects in a value have: fewer than were written where JSON.parse has kept the last of several with one name. */
export function membersIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) for (const item of value) count += membersIn(item);
  else for (const name in value) count += 1 + membersIn((value as Record<string, unknown>)[name]);
  return count;
}
