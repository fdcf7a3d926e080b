import type { Window } from './window.ts';

const LT = 0x3c;
const GT = 0x3e;
const SLASH = 0x2f;
const BANG = 0x21;
const QUESTION = 0x3f;
const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const OPEN_BRACKET = 0x5b;

/** Markup that ends with a mark of its own, whatever stands inside. */
const spans = [
  { begin: '<!--', end: Buffer.from('-->') },
  { begin: '<![CDATA[', end: Buffer.from(']]>') },
  { begin: '<?', end: Buffer.from('?>') },
] as const;

/** `passed`: a comment, CDATA section or instruction. `subset`: a document type that declares things itself. */
export type Token = 'open' | 'empty' | 'close' | 'passed' | 'doctype' | 'subset' | 'fault';

/**
 * A walk from one piece of markup to the next that remembers where it stands, so that no byte is looked at again when
 * more of them come. It knows where markup ends, nothing of what is right inside.
 */
export interface TagWalk {
  /** Offset in the object up to which it has read. */
  at: number;
  /** Offset of the markup's `<`, once it is found. */
  start: number;
  place: 'content' | 'tag' | 'close' | 'span' | 'doctype';
  /** The quote that is open inside a tag, or 0. */
  quote: number;
  span: Buffer;
}

export function newTagWalk(at: number): TagWalk {
  return { at, start: at, place: 'content', quote: 0, span: spans[0].end };
}

/** Goes on behind the next piece of markup. `undefined`: the window ends before it does. */
export function nextToken(walk: TagWalk, window: Window): Token | undefined {
  if (walk.place === 'content') {
    const begun = beginMarkup(walk, window);
    if (begun !== 'begun') return begun;
  }
  if (walk.place === 'span') return passSpan(walk, window);
  const { view, base } = window;
  if (walk.place === 'close') {
    const end = view.indexOf(GT, walk.at - base);
    if (end < 0) return starve(walk, window, 0);
    return finish(walk, base + end + 1, 'close');
  }
  return passTag(walk, window);
}

/**
 * Passes over whole tags inside of an element, as {@link nextToken} would one by one, up to the end tag of the element
 * itself and to everything that is no tag. Returns how many elements are open then; `depth` is how many are now.
 */
export function passTags(walk: TagWalk, { view, base }: Window, depth: number): number {
  let open = depth;
  let at = walk.at - base;
  for (;;) {
    const start = view.indexOf(LT, at);
    const second = start < 0 ? undefined : view[start + 1];
    const isEnd = second === SLASH;
    if (second === undefined || second === BANG || second === QUESTION || (isEnd && open === 1)) break;
    const end = isEnd ? view.indexOf(GT, start) : tagEnd(view, start + 1);
    if (end < 0) break;
    if (isEnd) open--;
    else if (view[end - 1] !== SLASH) open++;
    at = end + 1;
  }
  walk.at = base + at;
  return open;
}

/** Index of the `>` that is in no quotes; -1 when the view ends before it. */
function tagEnd(view: Buffer, from: number): number {
  let quote = 0;
  for (let at = from; at < view.length; at++) {
    const byte = view[at] as number;
    if (quote !== 0) {
      if (byte === quote) quote = 0;
    } else if (byte === GT) return at;
    else if (byte === QUOTE || byte === APOSTROPHE) quote = byte;
  }
  return -1;
}

/** Finds the next `<` and what it begins. */
function beginMarkup(walk: TagWalk, window: Window): 'begun' | 'fault' | undefined {
  const { view, base, done } = window;
  const start = view.indexOf(LT, walk.at - base);
  if (start < 0) return starve(walk, window, 0);
  walk.at = base + start;
  walk.start = walk.at;
  walk.quote = 0;
  const second = view[start + 1];
  if (second === undefined && !done) return undefined;
  if (second !== BANG && second !== QUESTION) {
    walk.place = second === SLASH ? 'close' : 'tag';
    walk.at += 1;
    return 'begun';
  }
  // The longest beginning has nine bytes: `<![CDATA[`, `<!DOCTYPE`.
  if (second === BANG && start + 9 > view.length && !done) return undefined;
  const head = view.toString('latin1', start, start + 9);
  const span = spans.find(({ begin }) => head.startsWith(begin));
  if (!span && head !== '<!DOCTYPE') return 'fault';
  walk.place = span ? 'span' : 'doctype';
  walk.span = span?.end ?? walk.span;
  walk.at += span?.begin.length ?? head.length;
  return 'begun';
}

function passSpan(walk: TagWalk, window: Window): Token | undefined {
  const end = window.view.indexOf(walk.span, walk.at - window.base);
  if (end < 0) return starve(walk, window, walk.span.length - 1);
  return finish(walk, window.base + end + walk.span.length, 'passed');
}

/** Reads to the `>` that is in no quotes. */
function passTag(walk: TagWalk, window: Window): Token | undefined {
  const { view, base } = window;
  let { quote } = walk;
  for (let at = walk.at - base; at < view.length; at++) {
    const byte = view[at];
    if (quote !== 0) {
      if (byte === quote) quote = 0;
    } else if (byte === GT) {
      if (walk.place === 'doctype') return finish(walk, base + at + 1, 'doctype');
      // The byte before it is always there: `starve` holds it back.
      return finish(walk, base + at + 1, view[at - 1] === SLASH ? 'empty' : 'open');
    } else if (byte === QUOTE || byte === APOSTROPHE) quote = byte;
    else if (byte === OPEN_BRACKET && walk.place === 'doctype') return 'subset';
  }
  // A slash held back is looked at twice, which changes nothing; a quote would.
  const isSlash = quote === 0 && view[view.length - 1] === SLASH;
  walk.quote = quote;
  return starve(walk, window, isSlash ? 1 : 0);
}

function finish(walk: TagWalk, at: number, token: Token): Token {
  walk.at = at;
  walk.place = 'content';
  return token;
}

/** Everything in the window is read but its last bytes, which may begin the mark that is looked for. */
function starve(walk: TagWalk, { view, base }: Window, held: number): undefined {
  walk.at = Math.max(walk.at, base + view.length - held);
}

/** End of the name that begins at `start`, an index into the view; -1 when the view ends before it. */
export function nameEnd(view: Buffer, start: number): number {
  for (let at = start; at < view.length; at++) {
    const byte = view[at] as number;
    if (byte <= 0x20 || byte === GT || byte === SLASH) return at;
  }
  return -1;
}
