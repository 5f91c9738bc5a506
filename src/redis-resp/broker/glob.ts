const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CARET = 0x5e;
const DASH = 0x2d;
const BACKSLASH = 0x5c;

/**
 * Whether a pattern (`*`, `?`, `[abc]`, `[a-z]`, `[^a]`, `\x`) matches the whole of `text`, as the server has it: an open class
 * ends with the pattern, a range may be given either way round, `]` closes a class wherever it stands, and nothing but an empty
 * pattern matches an empty text.
 *
 * When a character does not fit, only the last `*` takes one more, for what an earlier one could take instead would not
 * help: at most `pattern.length * text.length` steps.
 */
export function matchesGlob(pattern: Uint8Array, text: Uint8Array): boolean {
  if (text.length === 0) return pattern.length === 0;
  let at = 0;
  let to = 0;
  let afterStar = -1;
  let starTo = 0;
  while (to < text.length) {
    if (pattern[at] === STAR) {
      at += 1;
      if (at === pattern.length) return true;
      afterStar = at;
      starTo = to;
      continue;
    }
    const next = at < pattern.length ? matchOne(pattern, at, text[to] as number) : -1;
    if (next >= 0) {
      at = next;
      to += 1;
    } else if (afterStar >= 0) {
      starTo += 1;
      to = starTo;
      at = afterStar;
    } else {
      return false;
    }
  }
  while (pattern[at] === STAR) at += 1;
  return at === pattern.length;
}

/** @returns where the pattern goes on when what stands at `at` takes the character; -1: it does not. */
function matchOne(pattern: Uint8Array, at: number, character: number): number {
  switch (pattern[at]) {
    case QUESTION:
      return at + 1;
    case OPEN:
      return matchClass(pattern, at + 1, character);
    case BACKSLASH: {
      const escaped = at + 1 < pattern.length ? at + 1 : at;
      return pattern[escaped] === character ? escaped + 1 : -1;
    }
    default:
      return pattern[at] === character ? at + 1 : -1;
  }
}

function matchClass(pattern: Uint8Array, from: number, character: number): number {
  const negated = pattern[from] === CARET;
  let at = negated ? from + 1 : from;
  let found = false;
  for (; at < pattern.length && pattern[at] !== CLOSE; at++) {
    if (pattern[at] === BACKSLASH && at + 1 < pattern.length) {
      at += 1;
      if (pattern[at] === character) found = true;
    } else if (pattern[at + 1] === DASH && at + 2 < pattern.length) {
      const [one, other] = [pattern[at] as number, pattern[at + 2] as number];
      if (character >= Math.min(one, other) && character <= Math.max(one, other)) found = true;
      at += 2;
    } else if (pattern[at] === character) {
      found = true;
    }
  }
  return found === negated ? -1 : Math.min(at + 1, pattern.length);
}
